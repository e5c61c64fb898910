import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
  /** What follows `keyword`, for each time it occurs. */
  all(keyword: string): string[];
}

export interface Instruction {
  readonly keyword: string;
  readonly words: string;
}

/** deploy/Dockerfile, instruction by instruction; continued lines are joined, comments left out. */
export function dockerfile(): {
  readonly instructions: readonly Instruction[];
  readonly stages: readonly Stage[];
} {
  const path = fileURLToPath(new URL('../../deploy/Dockerfile', import.meta.url));
  const text = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '');
  const instructions = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', words = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
      return { keyword, words };
    });
  const starts = instructions.flatMap(({ keyword }, index) => (keyword === 'FROM' ? [index] : []));
  const stages = starts.map((start, i) => stageOf(instructions.slice(start, starts[i + 1])));
  return { instructions, stages };
}

function stageOf(instructions: readonly Instruction[]): Stage {
  const [, base = '', name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instructions[0]?.words ?? '') ?? [];
  const all = (keyword: string): string[] =>
    instructions.filter((one) => one.keyword === keyword).map(({ words }) => words);
  return { base, name, instructions, all };
}

/** What the trials came to: a line each, the score, and the page of the last of each mutant. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../museum/tree.ts';
import type { Trial } from './trial.ts';
import { VERDICTS, type Verdict } from './verdicts.ts';

const RESULTS = join(ROOT, 'test/mutation/results.json');
const PAGE = join(ROOT, 'docs/testing/mutation.md');
const MARKS = ['<!-- mutants -->', '<!-- /mutants -->'] as const;

export function lineOf({ name, outcome, law, seed, seeds, cpuMs }: Trial): string {
  const spent = `${seeds} seeds, ${(cpuMs / 1000).toFixed(1)} CPU s`;
  const label = { simulation: 'killed  ', tests: 'TESTS   ', survived: 'SURVIVED' }[outcome];
  const by = law === undefined ? '' : ` by ${law}`;
  return `${label} ${name}${by} (${seed === undefined ? '' : `seed ${seed}, `}${spent})`;
}

export function scoreOf(trials: readonly Trial[]): string {
  const count = (wanted: Trial['outcome']): number =>
    trials.filter(({ outcome }) => outcome === wanted).length;
  const live = trials.filter((trial) => trial.outcome !== 'simulation');
  const harmless = live.filter((trial) => isHarmless(verdictOf(trial))).length;
  const counted = trials.length - harmless;
  return (
    `${count('simulation')} of ${counted} killed by the simulation; ${harmless} more change nothing that ` +
    `could be wrong; ${count('tests')} by unit tests alone, ${count('survived')} by nothing`
  );
}

/** Puts the trials in the place of earlier ones of the same mutants, and writes the page anew. */
export function keepTrials(trials: readonly Trial[]): void {
  const kept: Trial[] = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : [];
  const keyOf = ({ file, was, change }: Trial): string => `${file}|${was}|${change}`;
  const fresh = new Map(trials.map((trial) => [keyOf(trial), trial]));
  const all = [...kept.filter((trial) => !fresh.has(keyOf(trial))), ...fresh.values()].toSorted(inOrder);
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
  const text = readFileSync(PAGE, 'utf8');
  const [open, close] = MARKS;
  const before = text.slice(0, text.indexOf(open) + open.length);
  writeFileSync(PAGE, `${before}\n${pageOf(all)}\n${text.slice(text.indexOf(close))}`);
}

export function pageOf(trials: readonly Trial[]): string {
  const live = trials.filter(({ outcome }) => outcome !== 'simulation');
  return [
    `**${scoreOf(trials)}.**`,
    '',
    '| Mutant | Killed by | Seeds | CPU s |',
    '|---|---|---|---|',
    ...trials.map(({ name, outcome, law, seeds, cpuMs }) => {
      const by = outcome === 'survived' ? '**nothing**' : `${outcome === 'tests' ? 'unit ' : ''}${law}`;
      return rowOf([`\`${name}\``, by, seeds, (cpuMs / 1000).toFixed(1)]);
    }),
    '',
    '## What the simulation does not kill, and why',
    '',
    '| Mutant | What stood there | Kind | Why |',
    '|---|---|---|---|',
    ...live.map((trial) => {
      const verdict = verdictOf(trial);
      const was = trial.was.length <= 100 ? trial.was : `${trial.was.slice(0, 97)}...`;
      return rowOf([`\`${trial.name}\``, `\`${was}\``, verdict?.kind ?? '**open**', verdict?.why ?? '']);
    }),
  ].join('\n');
}

function rowOf(cells: readonly unknown[]): string {
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}

function verdictOf({ file, was, change }: Trial): Verdict | undefined {
  return VERDICTS.find((one) => one.file === file && was.startsWith(one.was) && one.change === change);
}

function isHarmless(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'equivalent' || verdict?.kind === 'harmless';
}

function inOrder(a: Trial, b: Trial): number {
  const place = ({ file, name }: Trial) => [file, Number(/:(\d+)/.exec(name)?.[1] ?? 0)] as const;
  const [fileA, lineA] = place(a);
  const [fileB, lineB] = place(b);
  return fileA === fileB ? lineA - lineB : fileA < fileB ? -1 : 1;
}

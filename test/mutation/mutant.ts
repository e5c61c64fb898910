/** A source file with one slip in it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Mutation, mutationsOf } from './mutations.ts';

export interface Mutant extends Mutation {
  /** Below the root. */
  readonly file: string;
  readonly line: number;
  /** `partition.ts:123 < -> <=`; a second one of a line with the same change ends with `#2`. */
  readonly name: string;
  /** What stood there, on one line: it tells the mutant again after lines have moved. */
  readonly was: string;
}

/** Of files and of all files below directories, by path below `root`. */
export function listMutants(root: string, paths: readonly string[]): Mutant[] {
  return paths.flatMap((path) => filesOf(root, path)).flatMap((file) => mutantsOf(root, file));
}

/** The text of its file. */
export function mutatedText(root: string, { file, start, end, text }: Mutant): string {
  const source = readFileSync(join(root, file), 'utf8');
  return source.slice(0, start) + text + source.slice(end);
}

function filesOf(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.ts') && basename(name) !== 'index.ts')
    .sort()
    .map((name) => join(path, name));
}

function mutantsOf(root: string, file: string): Mutant[] {
  const source = readFileSync(join(root, file), 'utf8');
  const times = new Map<string, number>();
  return mutationsOf(source).map((mutation) => {
    const { start, end, change } = mutation;
    const line = source.slice(0, start).split('\n').length;
    const plain = `${basename(file)}:${line} ${change}`;
    const time = (times.get(plain) ?? 0) + 1;
    times.set(plain, time);
    const name = time === 1 ? plain : `${plain} #${time}`;
    return { ...mutation, file, line, name, was: source.slice(start, end).replace(/\s+/g, ' ') };
  });
}

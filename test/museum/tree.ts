/** Copies of the source tree, each with one bug in it. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** Node follows links to where a module really is, so what imports what is patched has to be copied. */
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const LINKED = ['node_modules', 'proto', 'docs', 'bin'];

/** The directory of the copy. `patched`: the text of the files that differ, by path. */
export function makeTree(name: string, patched: ReadonlyMap<string, string>): string {
  const tree = mkdtempSync(join(tmpdir(), `${name}-`));
  for (const part of COPIED) cpSync(join(ROOT, part), join(tree, part), { recursive: true });
  for (const part of LINKED) symlinkSync(join(ROOT, part), join(tree, part));
  for (const [file, text] of patched) writeFileSync(join(tree, file), text);
  return tree;
}

export function removeTree(tree: string): void {
  rmSync(tree, { recursive: true, force: true });
}

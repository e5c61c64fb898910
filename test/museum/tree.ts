/** Copies of the source tree, each with one bug in it. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NamedExhibit } from './exhibit.ts';
import { patchedFiles } from './patch.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** Node follows links to where a module really is, so what imports what is patched has to be copied. */
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const LINKED = ['node_modules', 'proto', 'docs', 'bin'];

/** The directory of the copy. Throws Rotted. */
export function makeTree(exhibit: NamedExhibit): string {
  const patched = patchedFiles(ROOT, exhibit);
  const tree = mkdtempSync(join(tmpdir(), `museum-${exhibit.name}-`));
  for (const name of COPIED) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  for (const name of LINKED) symlinkSync(join(ROOT, name), join(tree, name));
  for (const [file, text] of patched) writeFileSync(join(tree, file), text);
  return tree;
}

export function removeTree(tree: string): void {
  rmSync(tree, { recursive: true, force: true });
}

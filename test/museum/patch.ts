import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exhibit } from './exhibit.ts';

/** What an exhibit names is not there any more, or there twice. */
export class Rotted extends Error {
  override readonly name = 'Rotted';
}

/** The patched files of the tree in `root`, by path; nothing is written. Throws Rotted. */
export function patchedFiles(root: string, { edits }: Pick<Exhibit, 'edits'>): Map<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = files.get(file) ?? read(root, file);
    const parts = text.split(find);
    if (parts.length !== 2)
      throw new Rotted(`${file} has ${parts.length - 1} of: ${find.split('\n')[0] ?? ''}`);
    files.set(file, parts.join(replace));
  }
  return files;
}

function read(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    throw new Rotted(`there is no ${file}`);
  }
}

import type { Files } from './files.ts';

/** Makes `path` and its missing parents, and makes all of their names durable: after power loss the way to it is there. */
export async function makeDurableDirectory(files: Files, path: string): Promise<void> {
  const parents: string[] = [];
  for (let at = path; (await files.stat(at)) === undefined; ) {
    const parent = parentDirectory(at);
    parents.push(parent);
    if (parent === at) break;
    at = parent;
  }
  await files.makeDirectory(path);
  for (const parent of parents.reverse()) await files.syncDirectory(parent);
}

/** The directory that holds `path`; '.' for a bare name. */
export function parentDirectory(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const cut = trimmed.lastIndexOf('/');
  if (cut < 0) return trimmed === '' ? '/' : '.';
  return trimmed.slice(0, cut).replace(/\/+$/, '') || '/';
}

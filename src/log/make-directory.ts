import type { Files } from '../env/index.ts';

/**
 * Makes a directory and its missing parents, durably: each new name is synced in the directory that holds
 * it.
 */
export async function makeDurableDirectory(files: Files, directory: string): Promise<void> {
  const holders: string[] = [];
  for (let path = directory; (await files.stat(path)) === undefined; path = parentOf(path))
    holders.push(parentOf(path));
  if (holders.length === 0) return;
  await files.makeDirectory(directory);
  for (const holder of holders.reverse()) await files.syncDirectory(holder);
}

function parentOf(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  if (end < 0) return '.';
  return end === 0 ? '/' : path.slice(0, end);
}

import { EnvironmentError } from '../base/index.ts';
import type { Files } from './files.ts';

/**
 * Makes `path` and its missing parents, and makes all of their names durable: after power loss the way to it is there.
 * Also when it is there already: who made it may have died before its name was durable.
 */
export async function makeDurableDirectory(files: Files, path: string): Promise<void> {
  await files.makeDirectory(path);
  let isOurs = true;
  for (let at = path; ; ) {
    const parent = parentDirectory(at);
    if (parent === at) return;
    try {
      await files.syncDirectory(parent);
    } catch (error) {
      // Who may not read a directory further up cannot have made anything in it.
      if (isOurs || !(error instanceof EnvironmentError) || error.reason !== 'permission') throw error;
      return;
    }
    isOurs = false;
    at = parent;
  }
}

/** The directory that holds `path`; '.' for a bare name. */
export function parentDirectory(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  const cut = trimmed.lastIndexOf('/');
  if (cut < 0) return trimmed === '' ? '/' : '.';
  return trimmed.slice(0, cut).replace(/\/+$/, '') || '/';
}

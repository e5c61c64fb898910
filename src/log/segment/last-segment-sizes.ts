import type { Files } from '../../env/index.ts';
import { parseLogFileName } from './segment-names.ts';

/** Directories that are looked into at a time. */
const LOOKS_MAX = 16;

/**
 * Bytes of the last segments of logs: what an unclean stop makes a start read again. Each name is a directory in `path`;
 * one that cannot be looked into counts nothing, for it is only an estimate.
 */
export async function sizeOfLastSegments(
  files: Files,
  path: string,
  names: readonly string[],
): Promise<number> {
  const left = [...names];
  let bytes = 0;
  const lookNext = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const sizeBytes = await sizeOfLast(files, `${path}/${name}`).catch(() => 0);
      bytes += sizeBytes;
    }
  };
  await Promise.all(Array.from({ length: LOOKS_MAX }, lookNext));
  return bytes;
}

async function sizeOfLast(files: Files, directory: string): Promise<number> {
  const names = await files.list(directory);
  const last = names.findLast((name) => parseLogFileName(name)?.suffix === 'log');
  return last === undefined ? 0 : ((await files.stat(`${directory}/${last}`))?.sizeBytes ?? 0);
}

import { CorruptionError, EnvironmentError } from '../base/index.ts';
import { parentDirectory } from './durable-directory.ts';
import type { FileHandle, Files } from './files.ts';

/** Files that are read whole are small; a larger one is something else. */
const BYTES_MAX = 64 * 1024 * 1024;

/** All bytes of a small file, or undefined when there is none. CorruptionError when it cannot be such a file. */
export async function readWholeFile(files: Files, path: string): Promise<Buffer | undefined> {
  const stat = await files.stat(path);
  if (stat === undefined || stat.kind !== 'file') return undefined;
  if (stat.sizeBytes > BYTES_MAX)
    throw new CorruptionError(path, BYTES_MAX, `at most ${BYTES_MAX} bytes`, `${stat.sizeBytes}`);
  if (stat.sizeBytes === 0) return Buffer.alloc(0);
  const handle = await openExisting(files, path);
  if (handle === undefined) return undefined;
  try {
    const bytes = Buffer.alloc(stat.sizeBytes);
    return bytes.subarray(0, await handle.read(bytes, 0));
  } finally {
    await handle.close();
  }
}

/** undefined: it was removed since it was seen. */
async function openExisting(files: Files, path: string): Promise<FileHandle | undefined> {
  try {
    return await files.open(path, 'read');
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === 'not-found') return undefined;
    throw error;
  }
}

/** Replaces the file: a reader, also after a crash, meets the old bytes or the new ones; once resolved the new ones last. */
export async function replaceFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const handle = await files.open(temporary, 'create');
  try {
    await handle.truncate(0);
    await handle.write([bytes], 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await files.rename(temporary, path);
  await files.syncDirectory(parentDirectory(path));
}

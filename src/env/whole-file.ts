import { EnvironmentError } from '../base/index.ts';
import type { Files } from './files.ts';

/** All bytes of a small file, or undefined when there is none. */
export async function readWholeFile(files: Files, path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await files.open(path, 'read');
    try {
      const bytes = new Uint8Array(await file.sizeBytes());
      const count = await file.read(bytes, 0);
      return bytes.subarray(0, count);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof EnvironmentError && error.reason === 'not-found') return undefined;
    throw error;
  }
}

/** Replaces the file: after a crash it holds the old bytes or the new ones, durably the new ones once resolved. */
export async function writeFileAtomically(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await files.open(temporary, 'create');
  try {
    await file.truncate(0);
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, path);
  await files.syncDirectory(path.slice(0, Math.max(path.lastIndexOf('/'), 1)));
}

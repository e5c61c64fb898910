/**
 * Bytes that a killed process wrote, and that no sync is known to have covered. When a sync of theirs failed, the system
 * shows them still, takes them for written, and no later sync brings them to the disk. Written again they are dirty, and
 * the next sync tells the truth. Source: "PostgreSQL's fsync() surprise", 2018.
 */
import { CorruptionError } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Writes what stands in [start, end) to the same place; a sync is left to the caller. Throws EnvironmentError. */
export async function writeAgain(handle: FileHandle, start: number, end: number): Promise<void> {
  const chunk = Buffer.allocUnsafeSlow(Math.max(0, Math.min(CHUNK_BYTES, end - start)));
  for (let position = start; position < end; ) {
    const filled = await handle.read(chunk.subarray(0, Math.min(chunk.length, end - position)), position);
    if (filled === 0) throw new CorruptionError(handle.path, position, `${end} bytes`, 'the end of the file');
    await handle.write([chunk.subarray(0, filled)], position);
    position += filled;
  }
}

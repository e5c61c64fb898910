import { CorruptionError } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  type BatchView,
  batchSizeBytes,
  readBatchHeader,
  validateBatch,
} from '../record/index.ts';

/** Small enough that the work on one chunk holds nobody up for long; a larger batch comes alone. */
const CHUNK_BYTES = 256 * 1024;
const CHUNK_BYTES_MIN = 16 * 1024;
/** The same for what is compressed well: a chunk ends with the batch that passes it. */
const CHUNK_RECORDS = 4000;

/**
 * The batches of the first `sizeBytes` of a file, in chunks, each batch checked against its CRC. The memory of a chunk
 * is used again for the next one. Throws CorruptionError.
 */
export async function* batchChunks(handle: FileHandle, sizeBytes: number): AsyncGenerator<BatchView[]> {
  let window = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(sizeBytes, BATCH_HEADER_BYTES)));
  let position = 0;
  let askedBytes = window.length;
  while (position < sizeBytes) {
    const wanted = Math.min(askedBytes, sizeBytes - position);
    const filled = await handle.read(window.subarray(0, wanted), position);
    const found = wholeBatches(handle.path, window.subarray(0, filled), position);
    if (found.length > 0) {
      yield found;
      const bytes = found.reduce((sum, batch) => sum + batch.bytes.length, 0);
      position += bytes;
      // What was read beyond the records of a chunk is read again: do not read much of it.
      askedBytes = Math.min(window.length, Math.max(CHUNK_BYTES_MIN, bytes * 2));
      continue;
    }
    const size = filled < BATCH_HEADER_BYTES ? 0 : batchSizeBytes(window);
    if (filled < wanted || size <= filled || size > sizeBytes - position)
      throw new CorruptionError(handle.path, position, 'a whole batch', `${filled} bytes`);
    if (size > window.length) window = Buffer.allocUnsafeSlow(size);
    askedBytes = Math.max(size, askedBytes);
  }
}

function wholeBatches(path: string, bytes: Buffer, position: number): BatchView[] {
  const found: BatchView[] = [];
  let records = 0;
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length && records < CHUNK_RECORDS; ) {
    const size = batchSizeBytes(bytes, at);
    if (size >= BATCH_OVERHEAD_BYTES && at + size > bytes.length) break;
    const batch = bytes.subarray(at, Math.max(at, at + size));
    const problem = validateBatch(batch);
    if (problem !== undefined)
      throw new CorruptionError(path, position + at, 'a record batch', problem.message);
    const header = readBatchHeader(batch);
    found.push({ header, bytes: batch });
    records += header.count;
    at += size;
  }
  return found;
}

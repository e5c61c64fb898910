import { CorruptionError, type LeaderEpoch, type Offset } from '../../base/index.ts';
import type { FileHandle } from '../../env/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  type BatchView,
  batchSizeBytes,
  readBatchHeader,
} from '../record/index.ts';
import { findBatchDamage } from '../segment/batch-damage.ts';

/** Small enough that the work on one chunk holds nobody up for long; a larger batch comes alone. */
const CHUNK_BYTES = 256 * 1024;
const CHUNK_BYTES_MIN = 16 * 1024;
/** The same for what is compressed well: a chunk ends with the batch that passes it. */
const CHUNK_RECORDS = 4000;

/** The part of a file that is read, and what is known of it besides. */
export interface ChunkedPart {
  readonly baseOffset: Offset;
  /** Exclusive: its last batch ends there. */
  readonly endOffset: Offset;
  /** From the start of the file. */
  readonly sizeBytes: number;
  /** The leader epoch that wrote an offset; undefined: not known. */
  readonly epochAt: (offset: Offset) => LeaderEpoch | undefined;
}

/**
 * The batches of a closed segment, in chunks. Each is checked as one that is read or scrubbed: by an offset that a disk
 * has changed, a record would take the place of a newer one for good. The memory of a chunk is used again for the next
 * one. Throws CorruptionError.
 */
export async function* batchChunks(handle: FileHandle, part: ChunkedPart): AsyncGenerator<BatchView[]> {
  const { sizeBytes, endOffset } = part;
  let window = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(sizeBytes, BATCH_HEADER_BYTES)));
  let position = 0;
  let nextOffset = part.baseOffset;
  let askedBytes = window.length;
  while (position < sizeBytes) {
    const wanted = Math.min(askedBytes, sizeBytes - position);
    const filled = await handle.read(window.subarray(0, wanted), position);
    const found = wholeBatches(
      { bytes: window.subarray(0, filled), position, nextOffset },
      part,
      handle.path,
    );
    if (found.length > 0) {
      const bytes = found.reduce((sum, batch) => sum + batch.bytes.length, 0);
      position += bytes;
      nextOffset = (found.at(-1)?.header.lastOffset ?? 0) + 1;
      // Before the last are handed out: they may be the ones that are wrong.
      if (position === sizeBytes && nextOffset !== endOffset)
        throw new CorruptionError(handle.path, position, `the end at offset ${endOffset}`, `${nextOffset}`);
      yield found;
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

interface Window {
  readonly bytes: Buffer;
  /** In the file. */
  readonly position: number;
  /** No batch may begin below it. */
  readonly nextOffset: Offset;
}

function wholeBatches(window: Window, { epochAt }: ChunkedPart, path: string): BatchView[] {
  const { bytes, position } = window;
  const found: BatchView[] = [];
  let { nextOffset } = window;
  let records = 0;
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length && records < CHUNK_RECORDS; ) {
    const size = batchSizeBytes(bytes, at);
    if (size >= BATCH_OVERHEAD_BYTES && at + size > bytes.length) break;
    const batch = bytes.subarray(at, Math.max(at, at + size));
    const damage = findBatchDamage(batch, nextOffset, epochAt);
    if (damage !== undefined) throw new CorruptionError(path, position + at, damage.expected, damage.found);
    const header = readBatchHeader(batch);
    found.push({ header, bytes: batch });
    nextOffset = header.lastOffset + 1;
    records += header.count;
    at += size;
  }
  return found;
}

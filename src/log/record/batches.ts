import { CorruptionError } from '../../base/index.ts';
import { BATCH_HEADER_BYTES, type BatchHeader, batchSizeBytes, readBatchHeader } from './batch-header.ts';

export interface BatchView {
  readonly header: BatchHeader;
  /** The same memory as the whole, header included. */
  readonly bytes: Uint8Array;
}

/**
 * The whole batches of `bytes`, back to back, in order. Throws CorruptionError where the bytes do not end
 * with a batch; CRCs are not compared: see validateBatch.
 */
export function* batches(bytes: Uint8Array): IterableIterator<BatchView> {
  for (let at = 0; at < bytes.length; ) {
    const size = wholeBatchSize(bytes, at);
    if (size === undefined)
      throw new CorruptionError('record batches', at, 'a whole batch', `${bytes.length - at} bytes`);
    yield { header: readBatchHeader(bytes, at), bytes: bytes.subarray(at, at + size) };
    at += size;
  }
}

/** Size of the batch at `at` when all of it is in `bytes`, else undefined. */
export function wholeBatchSize(bytes: Uint8Array, at: number): number | undefined {
  if (at + BATCH_HEADER_BYTES > bytes.length) return undefined;
  const size = batchSizeBytes(bytes, at);
  return size < BATCH_HEADER_BYTES || at + size > bytes.length ? undefined : size;
}

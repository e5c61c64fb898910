/**
 * What the batches of a stretch of a log come to, as they lie in the files. Replicas hold the same bytes, batch for batch:
 * the leader stamps offset and epoch, and followers store what it sends. So equal digests of equal stretches are equal
 * records, and one that differs is damage or divergence.
 *
 * SHA-256 over the stored bytes of every batch that begins in the stretch, in order.
 */
import { createHash } from 'node:crypto';
import type { Offset } from '../../base/index.ts';
import type { PartitionLog } from '../partition-log.ts';
import { batches } from '../record/index.ts';
import { PIECE_BYTES } from './segment-check.ts';

export interface DigestRange {
  readonly fromOffset: Offset;
  /** Exclusive. */
  readonly toOffset: Offset;
  /** It ends with the batch that reaches it. */
  readonly maxBytes: number;
}

export interface StoredDigest {
  /** 64 hex digits. */
  readonly digest: string;
  readonly bytes: number;
  readonly batches: number;
  /** Of the stretch that was read: toOffset, or less when maxBytes was reached before. */
  readonly nextOffset: Offset;
}

/**
 * `pace` is called between two reads with the bytes of the one before. Rejects with what it rejects with, and with ApiError
 * OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR. toOffset is at most what is written.
 */
export async function digestStored(
  log: Pick<PartitionLog, 'readStored'>,
  range: DigestRange,
  pace: (bytes: number) => Promise<void>,
): Promise<StoredDigest> {
  const { fromOffset, toOffset, maxBytes } = range;
  const hash = createHash('sha256');
  let nextOffset = fromOffset;
  let bytes = 0;
  let count = 0;
  while (nextOffset < toOffset && bytes < maxBytes) {
    const bound = { maxBytes: PIECE_BYTES, upperBound: Number.MAX_SAFE_INTEGER, atLeastOne: true };
    const read = await log.readStored(nextOffset, bound);
    if (read.sizeBytes === 0) break;
    for (const stored of read.batches)
      for (const { header, bytes: batch } of batches(stored)) {
        if (header.baseOffset < fromOffset) {
          nextOffset = header.lastOffset + 1;
          continue;
        }
        if (header.baseOffset >= toOffset || bytes >= maxBytes)
          return {
            digest: hash.digest('hex'),
            bytes,
            batches: count,
            nextOffset: Math.min(nextOffset, toOffset),
          };
        hash.update(batch);
        bytes += batch.length;
        count++;
        nextOffset = header.lastOffset + 1;
      }
    await pace(read.sizeBytes);
  }
  const end = bytes >= maxBytes ? Math.min(nextOffset, toOffset) : toOffset;
  return { digest: hash.digest('hex'), bytes, batches: count, nextOffset: end };
}

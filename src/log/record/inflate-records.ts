/** The records part of a batch in clear, and how much of it there may be. */
import { ApiError, toBuffer } from '../../base/index.ts';
import { BATCH_HEADER_BYTES, type BatchHeader } from './batch-header.ts';
import { inflate } from './compression.ts';

export interface DecodeLimits {
  /**
   * Compressed records may inflate to this many bytes; beyond, the batch is refused with INVALID_RECORD. It
   * can tighten {@link inflatedBytesMaxOf}, not loosen it.
   */
  readonly inflatedBytesMax: number;
}

/** Nothing beyond {@link inflatedBytesMaxOf}. */
export const DEFAULT_DECODE_LIMITS: DecodeLimits = { inflatedBytesMax: Number.MAX_SAFE_INTEGER };

/**
 * What a batch may inflate to however small it is: so that with the blocks it came in, which the library of lz4 hands out one
 * by one, it stays below 32 MiB.
 */
const INFLATED_BYTES_FLOOR = 12 * 1024 * 1024;
const INFLATED_RATIO_MAX = 16;

/**
 * What the records of a compressed batch of `batchBytes` may inflate to. It depends on nothing but the batch:
 * what a leader let pass, every reader after it can open. A small batch that hides a large one is refused
 * when 12 MiB have come out.
 */
export function inflatedBytesMaxOf(batchBytes: number): number {
  return Math.max(INFLATED_BYTES_FLOOR, INFLATED_RATIO_MAX * batchBytes);
}

/**
 * The records part of `batch` in clear: the same memory when it is not compressed. Throws ApiError
 * CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function inflateRecords(
  batch: Uint8Array,
  header: BatchHeader,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): Buffer {
  if (header.codec === undefined)
    throw new ApiError('UNSUPPORTED_COMPRESSION_TYPE', `no codec has number ${header.attributes & 0x07}`);
  const limitBytes = Math.min(limits.inflatedBytesMax, inflatedBytesMaxOf(batch.length));
  return toBuffer(inflate(header.codec, batch.subarray(BATCH_HEADER_BYTES), limitBytes));
}

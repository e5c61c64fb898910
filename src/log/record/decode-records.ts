/** Records of a batch as objects, for whoever wants few of them at a time. Their grammar: record-cursor.ts. */
import { ApiError, type Offset } from '../../base/index.ts';
import type { RecordHeader } from './batch-builder.ts';
import { BATCH_HEADER_BYTES, readBatchHeader } from './batch-header.ts';
import type { DecodeLimits } from './inflate-records.ts';
import { RecordCursor } from './record-cursor.ts';

export interface DecodedRecord {
  readonly offset: Offset;
  readonly timestampMs: number;
  /** Absent: null. The memory of the batch, or of its inflated records. */
  readonly key?: Uint8Array;
  /** Absent: null (a tombstone). */
  readonly value?: Uint8Array;
  /** In the order sent; a key may occur more than once. */
  readonly headers: readonly RecordHeader[];
}

/**
 * The records of one whole batch, ascending by offset, each made when it is asked for: a small batch may hold
 * millions. Keys and values share memory with `batch` unless it is compressed. The CRC is not compared (see
 * validateBatch).
 *
 * What is wrong is found where it stands, after the records before it: throws ApiError CORRUPT_MESSAGE,
 * INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function* decodeRecords(
  batch: Uint8Array,
  limits?: DecodeLimits,
): Generator<DecodedRecord, undefined> {
  if (batch.length < BATCH_HEADER_BYTES)
    throw new ApiError('CORRUPT_MESSAGE', `${batch.length} bytes are no record batch`);
  const cursor = RecordCursor.open(batch, readBatchHeader(batch), limits);
  while (cursor.next()) yield toDecodedRecord(cursor);
}

/** The record that the cursor stands on. */
export function toDecodedRecord(cursor: RecordCursor): DecodedRecord {
  const { offset, timestampMs, key, value } = cursor;
  const headers = cursor.headers();
  if (key === undefined)
    return value === undefined ? { offset, timestampMs, headers } : { offset, timestampMs, value, headers };
  return value === undefined
    ? { offset, timestampMs, key, headers }
    : { offset, timestampMs, key, value, headers };
}

import { type Offset, type PartitionId, toBuffer, type WallMs } from '../../base/index.ts';
import type { RecordCursor, RecordHeader } from '../../log/record/index.ts';

/**
 * A record as read. Bytes are Buffers: `record.value?.toString()` gives text. They share memory with the
 * whole batch.
 */
export interface ConsumedRecord {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly offset: Offset;
  readonly timestampMs: WallMs;
  /** null: the record has no key. */
  readonly key: Buffer | null;
  /** null: a tombstone. */
  readonly value: Buffer | null;
  /** In the order sent; a name may occur more than once. */
  readonly headers: readonly ConsumedHeader[];
}

export interface ConsumedHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** Records of one partition, ascending by offset, not empty, at most `maxPollRecords`. */
export interface ConsumedBatch {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly records: readonly ConsumedRecord[];
  /** First offset that was not yet committed when the batch was fetched. */
  readonly highWatermark: Offset;
}

const NO_HEADERS: readonly ConsumedHeader[] = [];

/** The record that the cursor stands on. */
export function toConsumedRecord(
  topic: string,
  partition: PartitionId,
  record: RecordCursor,
): ConsumedRecord {
  return {
    topic,
    partition,
    offset: record.offset,
    timestampMs: record.timestampMs,
    key: record.key ?? null,
    value: record.value ?? null,
    headers: record.headerCount === 0 ? NO_HEADERS : record.headers().map(toConsumedHeader),
  };
}

function toConsumedHeader({ key, value }: RecordHeader): ConsumedHeader {
  return { key, value: value === undefined ? null : toBuffer(value) };
}

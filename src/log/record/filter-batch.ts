import { NONE, toBuffer, type WallMs } from '../../base/index.ts';
import {
  ATTRIBUTE,
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  type BatchHeader,
  FIELD,
} from './batch-header.ts';
import { writeInt16, writeInt32, writeInt64 } from './bytes.ts';
import { compress } from './compression.ts';
import { RecordCursor } from './record-cursor.ts';
import { stampCrc } from './stamp-batch.ts';
import { varlongBytes, writeVarint, writeVarlong } from './varint.ts';

/** Which records of a batch stay. */
export interface BatchFilter {
  /** Asked for each record, ascending; the cursor stands on it. */
  readonly retains: (record: RecordCursor) => boolean;
  /** Given to a batch that keeps a tombstone and bears no horizon yet; undefined: none is given. */
  readonly deleteHorizonMs: WallMs | undefined;
  /** True: the header stays although no record does. */
  readonly keepsEmpty: boolean;
}

export interface FilteredBatch {
  /** The same memory when nothing changes; undefined: nothing is left. */
  readonly bytes: Uint8Array | undefined;
  /** Records that stay. */
  readonly count: number;
  /** True: a tombstone stays in a batch without a horizon. */
  readonly lacksHorizon: boolean;
}

/** Room for a longer length and timestamp of a record whose batch gets another base timestamp. */
const GROWTH_BYTES = 15;

/**
 * The batch with the records that `filter` retains, in its own codec. Its span of offsets, leader epoch, producer,
 * sequences and timestamp type stay as they are, so that nobody can tell that records were there but by
 * their absence. Throws ApiError like decodeRecords.
 *
 * The delete horizon takes the place of the base timestamp, and the timestamps of the records stay right, as they
 * are relative to it. Source: Kafka's MemoryRecords.filterTo, KIP-534.
 */
export function filterBatch(batch: Uint8Array, header: BatchHeader, filter: BatchFilter): FilteredBatch {
  const kept = new KeptRecords();
  const cursor = RecordCursor.open(batch, header);
  while (cursor.next()) if (filter.retains(cursor)) kept.note(cursor);
  const { count } = kept;
  if (count === 0) {
    if (!filter.keepsEmpty) return { bytes: undefined, count, lacksHorizon: false };
    return { bytes: header.count === 0 ? batch : emptyBatch(batch, header), count, lacksHorizon: false };
  }
  const lacked = kept.tombstones > 0 && !header.hasDeleteHorizon;
  const horizonMs = lacked ? filter.deleteHorizonMs : undefined;
  const lacksHorizon = lacked && horizonMs === undefined;
  if (count === header.count && horizonMs === undefined) return { bytes: batch, count, lacksHorizon };
  const maxTimestamp =
    header.timestampType === 'LogAppendTime'
      ? header.maxTimestamp
      : header.baseTimestamp + kept.maxTimestampDelta;
  const records =
    horizonMs === undefined
      ? copyRecords(cursor.bytes, kept)
      : rebaseRecords(cursor.bytes, header, kept, header.baseTimestamp - horizonMs);
  const baseTimestamp = horizonMs ?? header.baseTimestamp;
  const bytes = rebuildBatch(batch, header, records, { count, baseTimestamp, maxTimestamp });
  if (horizonMs !== undefined) setDeleteHorizon(bytes, header);
  stampCrc(bytes);
  return { bytes, count, lacksHorizon };
}

/** Places of the records that stay; neighbours make one range. */
class KeptRecords {
  /** start, end, start, end, ... in the records part. */
  readonly ranges: number[] = [];
  count = 0;
  tombstones = 0;
  maxTimestampDelta = Number.NEGATIVE_INFINITY;

  note(cursor: RecordCursor): void {
    this.count++;
    if (!cursor.hasValue) this.tombstones++;
    if (cursor.timestampDelta > this.maxTimestampDelta) this.maxTimestampDelta = cursor.timestampDelta;
    const { ranges } = this;
    if (ranges.at(-1) === cursor.start) ranges[ranges.length - 1] = cursor.end;
    else ranges.push(cursor.start, cursor.end);
  }
}

function copyRecords(clear: Uint8Array, { ranges }: KeptRecords): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < ranges.length; i += 2) parts.push(clear.subarray(ranges[i], ranges[i + 1]));
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

/** The records with `shift` added to their timestamp deltas. */
function rebaseRecords(
  clear: Uint8Array,
  header: BatchHeader,
  { ranges, count }: KeptRecords,
  shift: number,
): Uint8Array {
  const made = Buffer.allocUnsafe(clear.length + count * GROWTH_BYTES);
  const cursor = new RecordCursor(clear, header);
  let at = 0;
  for (let range = 0; range < ranges.length && cursor.next(); ) {
    if (cursor.start < (ranges[range] as number)) continue;
    const delta = cursor.timestampDelta + shift;
    const restBytes = cursor.end - cursor.restStart;
    at = writeVarint(made, at, 1 + varlongBytes(delta) + restBytes);
    made[at++] = clear[cursor.bodyStart] as number;
    at = writeVarlong(made, at, delta);
    made.set(clear.subarray(cursor.restStart, cursor.end), at);
    at += restBytes;
    if (cursor.end === ranges[range + 1]) range += 2;
  }
  return made.subarray(0, at);
}

function rebuildBatch(
  batch: Uint8Array,
  header: BatchHeader,
  clear: Uint8Array,
  changed: { readonly count: number; readonly baseTimestamp: WallMs; readonly maxTimestamp: WallMs },
): Buffer {
  const records = compress(header.codec ?? 'none', clear);
  const made = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  toBuffer(batch).copy(made, 0, 0, BATCH_HEADER_BYTES);
  made.set(records, BATCH_HEADER_BYTES);
  writeInt32(made, FIELD.batchLength, made.length - BATCH_OVERHEAD_BYTES);
  writeInt64(made, FIELD.baseTimestamp, changed.baseTimestamp);
  writeInt64(made, FIELD.maxTimestamp, changed.maxTimestamp);
  writeInt32(made, FIELD.count, changed.count);
  return made;
}

function setDeleteHorizon(bytes: Uint8Array, header: BatchHeader): void {
  writeInt16(bytes, FIELD.attributes, header.attributes | ATTRIBUTE.deleteHorizon);
}

/** The header alone: codec none, no horizon, no base timestamp; the rest as it was. */
function emptyBatch(batch: Uint8Array, header: BatchHeader): Uint8Array {
  const { maxTimestamp } = header;
  const clearHeader = { ...header, codec: 'none' as const };
  const made = rebuildBatch(batch, clearHeader, new Uint8Array(0), {
    count: 0,
    baseTimestamp: NONE,
    maxTimestamp,
  });
  writeInt16(made, FIELD.attributes, header.attributes & ~(ATTRIBUTE.codecMask | ATTRIBUTE.deleteHorizon));
  stampCrc(made);
  return made;
}

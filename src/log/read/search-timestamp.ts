import { NONE, type Offset, type WallMs } from '../../base/index.ts';
import { type BatchView, batches, RecordCursor } from '../record/index.ts';
import type { LogRead, ReadOptions } from './read-log.ts';

export interface TimestampOffset {
  readonly offset: Offset;
  readonly timestampMs: WallMs;
}

interface ReadableLog {
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
  read(fromOffset: Offset, options: ReadOptions): LogRead | Promise<LogRead>;
}

const READ_BYTES = 1024 * 1024;

/**
 * The first record in [from, to) whose timestamp is `timestampMs` or later, or one after `to`. Opens only
 * batches that may hold it.
 */
export async function searchTimestamp(
  log: ReadableLog,
  from: Offset,
  to: Offset,
  timestampMs: WallMs,
): Promise<TimestampOffset | undefined> {
  let next = Math.max(from, log.logStartOffset);
  while (next < Math.min(to, log.logEndOffset)) {
    const options = { maxBytes: READ_BYTES, upperBound: log.logEndOffset, atLeastOne: true };
    const read = await log.read(next, options);
    if (read.batches.length === 0) return undefined;
    for (const some of read.batches) {
      for (const batch of batches(some)) {
        next = batch.header.lastOffset + 1;
        if (batch.header.maxTimestamp < timestampMs || batch.header.isControl) continue;
        for (const record of timesFrom(log.logStartOffset, batch))
          if (record.timestampMs >= timestampMs) return record;
      }
    }
  }
  return undefined;
}

/**
 * Offset and timestamp of each record at or after `start`. No objects are made of the records: a small batch may hold
 * millions.
 */
function* timesFrom(start: Offset, { header, bytes }: BatchView): Generator<TimestampOffset> {
  const isStamped = header.timestampType === 'LogAppendTime';
  const cursor = RecordCursor.open(bytes, header);
  while (cursor.next()) {
    const { offset, timestampDelta } = cursor;
    const timestampMs = isStamped ? header.maxTimestamp : header.baseTimestamp + timestampDelta;
    if (offset >= start) yield { offset, timestampMs };
  }
}

/**
 * The largest timestamp that a record bears; -1: there is none. What segments say is believed when a record is found by
 * it: in a compacted log it may be that of a batch whose records are gone.
 */
export async function findLargestTimestamp(
  log: ReadableLog,
  segments: readonly { readonly baseOffset: Offset; readonly largestTimestampMs: WallMs }[],
  find: (timestampMs: WallMs) => Promise<TimestampOffset | undefined>,
): Promise<WallMs> {
  const claims = segments.map(({ baseOffset, largestTimestampMs }, i) => {
    const endOffset = segments[i + 1]?.baseOffset ?? log.logEndOffset;
    return { baseOffset, endOffset, largestTimestampMs };
  });
  claims.sort((one, other) => other.largestTimestampMs - one.largestTimestampMs);
  const claimed = claims[0]?.largestTimestampMs ?? NONE;
  if (claimed === NONE || (await find(claimed)) !== undefined) return claimed;
  let largest: WallMs = NONE;
  for (const { baseOffset, endOffset, largestTimestampMs } of claims) {
    if (largestTimestampMs <= largest) break;
    largest = Math.max(largest, await largestWithin(log, baseOffset, endOffset));
  }
  return largest;
}

async function largestWithin(log: ReadableLog, start: Offset, endOffset: Offset): Promise<WallMs> {
  let largest: WallMs = NONE;
  for (let next = Math.max(start, log.logStartOffset); next < endOffset; ) {
    const options = { maxBytes: READ_BYTES, upperBound: endOffset, atLeastOne: true };
    const read = await log.read(next, options);
    if (read.batches.length === 0) break;
    for (const some of read.batches)
      for (const batch of batches(some)) {
        const { header } = batch;
        next = header.lastOffset + 1;
        if (header.count === 0 || header.isControl || header.maxTimestamp <= largest) continue;
        if (header.baseOffset >= log.logStartOffset) largest = header.maxTimestamp;
        // What the header says may be that of a record below the start.
        else
          for (const { timestampMs } of timesFrom(log.logStartOffset, batch))
            largest = Math.max(largest, timestampMs);
      }
  }
  return largest;
}

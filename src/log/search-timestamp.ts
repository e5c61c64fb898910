import { NONE, type Offset, type WallMs } from '../base/index.ts';
import type { LogRead, ReadOptions } from './read-log.ts';
import { batches, DEFAULT_DECODE_LIMITS, decodeRecords } from './record/index.ts';

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
 * The first record at or after `from` whose timestamp is `timestampMs` or later. Opens only batches that
 * may hold it.
 */
export async function searchTimestamp(
  log: ReadableLog,
  from: Offset,
  timestampMs: WallMs,
): Promise<TimestampOffset | undefined> {
  let next = Math.max(from, log.logStartOffset);
  while (next < log.logEndOffset) {
    const options = { maxBytes: READ_BYTES, upperBound: log.logEndOffset, atLeastOne: true };
    const read = await log.read(next, options);
    if (read.batches.length === 0) return undefined;
    for (const some of read.batches) {
      for (const { header, bytes } of batches(some)) {
        next = header.lastOffset + 1;
        if (header.maxTimestamp < timestampMs || header.isControl) continue;
        const record = decodeRecords(bytes, DEFAULT_DECODE_LIMITS).find(
          (one) => one.timestampMs >= timestampMs && one.offset >= log.logStartOffset,
        );
        if (record !== undefined) return { offset: record.offset, timestampMs: record.timestampMs };
      }
    }
  }
  return undefined;
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
      for (const { header } of batches(some)) {
        next = header.lastOffset + 1;
        if (header.count > 0 && !header.isControl) largest = Math.max(largest, header.maxTimestamp);
      }
  }
  return largest;
}

import type { Offset, WallMs } from '../base/index.ts';
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

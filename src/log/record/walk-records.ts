/**
 * What a leader relies on, and every reader after it, in the records of a batch that it is given: the grammar of {@link
 * RecordCursor}, and beyond it offset deltas 0, 1, 2, ... and timestamps in range. Source: Kafka's LogValidator.
 */
import { ApiError, NONE, type WallMs } from '../../base/index.ts';
import type { BatchHeader } from './batch-header.ts';
import { type BatchProblem, invalid } from './batch-problem.ts';
import { RecordCursor } from './record-cursor.ts';

export interface RecordRules {
  /** Inclusive bounds of a CreateTime; -1, "no timestamp", is always allowed. */
  readonly timestampMin: WallMs;
  readonly timestampMax: WallMs;
  /** True: a record without a key is refused, for compaction could not tell what it replaces. */
  readonly requireKeys: boolean;
}

export interface RecordsSummary {
  /** The largest timestamp of a record; -1: none bears one. */
  readonly maxTimestamp: WallMs;
}

/**
 * Checks that `bytes` from `start` on are exactly the records that `header` announces. Nothing is changed. A
 * problem names the record by its place in the batch.
 */
export function walkRecords(
  bytes: Uint8Array,
  start: number,
  header: BatchHeader,
  rules: RecordRules,
): RecordsSummary | BatchProblem {
  try {
    return walk(new RecordCursor(bytes, header, start, false), header, rules);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { code: error.code, message: error.message };
  }
}

function walk(
  record: RecordCursor,
  { baseTimestamp }: BatchHeader,
  rules: RecordRules,
): RecordsSummary | BatchProblem {
  const { timestampMin, timestampMax, requireKeys } = rules;
  let maxTimestamp: WallMs = NONE;
  for (let index = 0; record.next(); index++) {
    if (record.offsetDelta !== index) return invalid(`record ${index} does not have the next offset`);
    if (requireKeys && record.keyStart < 0)
      return invalid(
        `record ${index} has no key, and the topic is compacted by key (cleanup.policy): send it a key`,
      );
    const timestamp = baseTimestamp + record.timestampDelta;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    if ((timestamp < timestampMin || timestamp > timestampMax) && timestamp !== NONE)
      return outOfRange(index, timestamp, rules);
  }
  return { maxTimestamp };
}

function outOfRange(index: number, timestamp: WallMs, rules: RecordRules): BatchProblem {
  const { timestampMin, timestampMax } = rules;
  return {
    code: 'INVALID_TIMESTAMP',
    message: `record ${index} has timestamp ${timestamp}; the topic takes ${timestampMin} to ${timestampMax} now`,
  };
}

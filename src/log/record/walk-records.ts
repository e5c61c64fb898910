/**
 * A walk through the records of one batch in clear, without making an object of any: what the leader relies on
 * and every reader after it. Lengths nest exactly, offset deltas are 0, 1, 2, ..., nothing follows the last
 * record, timestamps are in range.
 *
 * The cost is a handful of one-byte varints a record, whatever its keys and values weigh.
 * Source: Kafka's DefaultRecord and LogValidator.
 */
import { NONE, type WallMs } from '../../base/index.ts';
import type { BatchHeader } from './batch-header.ts';
import { type BatchProblem, invalid } from './batch-problem.ts';
import { VarintReader } from './varint.ts';

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
  const { count, baseTimestamp } = header;
  const { timestampMin, timestampMax, requireKeys } = rules;
  const reader = new VarintReader(bytes, start, bytes.length);
  let maxTimestamp: WallMs = NONE;
  for (let index = 0; index < count; index++) {
    const length = reader.varint();
    const end = reader.position + length;
    if (length < 1 || end > bytes.length) return malformed(index, reader, `says it has ${length} bytes`);
    reader.position++;
    const timestamp = baseTimestamp + reader.varlong();
    if (reader.varint() !== index) return malformed(index, reader, 'does not have the next offset');
    const keyBytes = reader.varint();
    if (keyBytes > 0) reader.position += keyBytes;
    const valueBytes = reader.varint();
    if (valueBytes > 0) reader.position += valueBytes;
    const headers = reader.varint();
    if (keyBytes < NONE || valueBytes < NONE || (headers !== 0 && !skipHeaders(reader, headers, end)))
      return malformed(index, reader, 'holds a length that cannot be');
    if (reader.position !== end || reader.failure !== undefined)
      return malformed(index, reader, `is ${reader.position - end} bytes off its length`);
    if (requireKeys && keyBytes < 0)
      return invalid(
        `record ${index} has no key, and the topic is compacted by key (cleanup.policy): send it a key`,
      );
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    if ((timestamp < timestampMin || timestamp > timestampMax) && timestamp !== NONE)
      return outOfRange(index, timestamp, rules);
  }
  if (reader.position === bytes.length) return { maxTimestamp };
  return invalid(`${bytes.length - reader.position} bytes follow the last record`);
}

/** False: a count or a length is impossible. Positions only grow, so a count that lies ends at `end`. */
function skipHeaders(reader: VarintReader, count: number, end: number): boolean {
  if (count < 0 || count * 2 > end - reader.position) return false;
  for (let i = 0; i < count; i++) {
    const keyBytes = reader.varint();
    if (keyBytes < 0) return false;
    reader.position += keyBytes;
    const valueBytes = reader.varint();
    if (valueBytes < NONE) return false;
    if (valueBytes > 0) reader.position += valueBytes;
  }
  return true;
}

function malformed(index: number, reader: VarintReader, otherwise: string): BatchProblem {
  return invalid(`record ${index} ${reader.failure ?? otherwise}`);
}

function outOfRange(index: number, timestamp: WallMs, rules: RecordRules): BatchProblem {
  const { timestampMin, timestampMax } = rules;
  return {
    code: 'INVALID_TIMESTAMP',
    message: `record ${index} has timestamp ${timestamp}; the topic takes ${timestampMin} to ${timestampMax} now`,
  };
}

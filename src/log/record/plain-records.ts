/**
 * A quick look through the records of a batch in clear, for its leader: most batches hold records without headers whose
 * numbers take a byte or two each, and of such a batch local variables tell that all is well.
 *
 * It never refuses. Where anything is wrong, or merely unusual, it knows nothing, and walkRecords, which has the whole
 * grammar and the words for what is wrong, looks again from the first record on. Law: what is found here is what is
 * found there. It costs a third.
 */
import { NONE, type WallMs } from '../../base/index.ts';
import type { BatchHeader } from './batch-header.ts';
import type { RecordRules } from './walk-records.ts';

/** The length, the attributes, two deltas and the length of the key, where each number takes two bytes. */
const BEFORE_KEY_BYTES_MAX = 9;
/** Zigzag of a null's length, -1. */
const NULL_LENGTH = 1;
/** Odd, as no length but that of a null is. */
const LONG = -1;
/** Beyond any delta of two bytes. */
const DELTA_LIMIT = 8192;

/**
 * The largest timestamp of a record, -1: none bears one, of `bytes` that from `start` on are exactly the records that
 * `header` announces, in keeping with the rules. undefined: not known.
 */
export function findMaxTimestamp(
  bytes: Uint8Array,
  start: number,
  { count, baseTimestamp }: BatchHeader,
  { timestampMin, timestampMax, requireKeys }: RecordRules,
): WallMs | undefined {
  const limit = bytes.length;
  let minDelta = DELTA_LIMIT;
  let maxDelta = -DELTA_LIMIT;
  let at = start;
  for (let index = 0; index < count; index++) {
    // Nothing is read beyond the end: what is compiled stays quick.
    if (at + BEFORE_KEY_BYTES_MAX > limit) return undefined;
    // A longer number is LONG, which is nowhere taken for one.
    let raw = bytes[at++] as number;
    if (raw >= 0x80) raw = joined(raw, bytes[at++] as number);
    const end = at + (raw >>> 1);
    if ((raw & 1) !== 0) return undefined;
    at++;
    raw = bytes[at++] as number;
    if (raw >= 0x80) raw = joined(raw, bytes[at++] as number);
    if (raw === LONG) return undefined;
    const delta = (raw >>> 1) ^ -(raw & 1);
    if (delta > maxDelta) maxDelta = delta;
    if (delta < minDelta) minDelta = delta;
    raw = bytes[at++] as number;
    if (raw >= 0x80) raw = joined(raw, bytes[at++] as number);
    if (raw !== index * 2) return undefined;
    raw = bytes[at++] as number;
    if (raw >= 0x80) raw = joined(raw, bytes[at++] as number);
    if ((raw & 1) === 0) at += raw >>> 1;
    else if (raw !== NULL_LENGTH || requireKeys) return undefined;
    if (at + 2 > limit) return undefined;
    raw = bytes[at++] as number;
    if (raw >= 0x80) raw = joined(raw, bytes[at++] as number);
    if ((raw & 1) === 0) at += raw >>> 1;
    else if (raw !== NULL_LENGTH) return undefined;
    // No headers, and the record ends.
    if (at + 1 !== end || bytes[at] !== 0) return undefined;
    at = end;
  }
  if (at !== limit || baseTimestamp + minDelta < timestampMin || baseTimestamp + maxDelta > timestampMax)
    return undefined;
  return Math.max(NONE, baseTimestamp + maxDelta);
}

/** The number of two bytes, not yet signed. */
const joined = (first: number, second: number): number =>
  second < 0x80 ? (first & 0x7f) | (second << 7) : LONG;

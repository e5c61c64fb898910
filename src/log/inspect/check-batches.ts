import { ApiError, NONE, type Offset } from '../../base/index.ts';
import { type BatchHeader, type DecodedRecord, decodeRecords, validateBatch } from '../record/index.ts';

/** What was expected and what was found instead. */
export interface Mismatch {
  readonly expected: string;
  readonly found: string;
}

export interface CheckedBatch {
  /** Sizes, magic, CRC and counts are right: what every reader looks at. */
  readonly isValid: boolean;
  /** Decoded when asked for and possible. */
  readonly records: readonly DecodedRecord[];
  readonly mismatches: readonly Mismatch[];
}

/**
 * Holds the batches of one segment against what must be true of them, in order:
 *
 *   CRC and counts; offsets grow from batch to batch and start at the segment's base or later;
 *   deep: leader epochs never fall; records decode to the last byte, as many as the header says; their offsets grow
 *   inside the batch; the largest timestamp is the header's.
 */
export class BatchChecker {
  readonly #deep: boolean;
  #nextOffset: Offset;
  #leaderEpoch: number = NONE;
  batches = 0;
  records = 0;

  constructor(baseOffset: Offset, options: { readonly deep: boolean }) {
    this.#nextOffset = baseOffset;
    this.#deep = options.deep;
  }

  /** After the last batch. */
  get nextOffset(): Offset {
    return this.#nextOffset;
  }

  check(bytes: Uint8Array, header: BatchHeader, options: { readonly decode: boolean }): CheckedBatch {
    this.batches++;
    const mismatches: Mismatch[] = [];
    const problem = validateBatch(bytes);
    if (problem !== undefined) {
      this.#nextOffset = Math.max(this.#nextOffset, header.lastOffset + 1);
      return {
        isValid: false,
        records: [],
        mismatches: [{ expected: 'a valid batch', found: problem.message }],
      };
    }
    this.records += header.count;
    if (header.baseOffset < this.#nextOffset)
      mismatches.push({
        expected: `an offset of ${this.#nextOffset} or more`,
        found: `${header.baseOffset}`,
      });
    this.#nextOffset = header.lastOffset + 1;
    if (this.#deep && header.leaderEpoch < this.#leaderEpoch)
      mismatches.push({
        expected: `leader epoch ${this.#leaderEpoch} or later`,
        found: `${header.leaderEpoch}`,
      });
    this.#leaderEpoch = Math.max(this.#leaderEpoch, header.leaderEpoch);
    const records = this.#deep || options.decode ? decodeOrSay(bytes, mismatches) : [];
    if (this.#deep && records !== undefined) mismatches.push(...recordMismatches(header, records));
    return { isValid: true, records: records ?? [], mismatches };
  }
}

/** undefined: they cannot be decoded, and `mismatches` says why. */
function decodeOrSay(bytes: Uint8Array, mismatches: Mismatch[]): DecodedRecord[] | undefined {
  try {
    return decodeRecords(bytes);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    mismatches.push({ expected: 'records that can be decoded', found: error.message });
    return undefined;
  }
}

function recordMismatches(header: BatchHeader, records: readonly DecodedRecord[]): Mismatch[] {
  const mismatches: Mismatch[] = [];
  let lastOffset = header.baseOffset - 1;
  for (const { offset } of records) {
    if (offset <= lastOffset)
      mismatches.push({ expected: `a record offset above ${lastOffset}`, found: `${offset}` });
    lastOffset = offset;
  }
  const largest = records.reduce((max, { timestampMs }) => Math.max(max, timestampMs), NONE);
  if (records.length > 0 && largest !== header.maxTimestamp)
    mismatches.push({ expected: `${header.maxTimestamp} as the largest timestamp`, found: `${largest}` });
  return mismatches;
}

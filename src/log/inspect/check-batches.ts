import { ApiError, NONE, type Offset, type WallMs } from '../../base/index.ts';
import { type BatchHeader, RecordCursor, validateBatch } from '../record/index.ts';

/** What was expected and what was found instead. */
export interface Mismatch {
  readonly expected: string;
  readonly found: string;
}

export interface CheckedBatch {
  /** Sizes, magic, CRC and counts are right: what every reader looks at. */
  readonly isValid: boolean;
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

  check(bytes: Uint8Array, header: BatchHeader): CheckedBatch {
    this.batches++;
    const mismatches: Mismatch[] = [];
    const problem = validateBatch(bytes);
    if (problem !== undefined) {
      this.#nextOffset = Math.max(this.#nextOffset, header.lastOffset + 1);
      return { isValid: false, mismatches: [{ expected: 'a valid batch', found: problem.message }] };
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
    return { isValid: true, mismatches };
  }

  /**
   * The records of a valid batch one after the other, as a cursor that stands on each; what is wrong with them is
   * returned behind the last one that can be read.
   */
  *recordsOf(bytes: Uint8Array, header: BatchHeader): Generator<RecordCursor, readonly Mismatch[]> {
    let largest: WallMs = NONE;
    try {
      const record = RecordCursor.open(bytes, header);
      while (record.next()) {
        largest = Math.max(largest, record.timestampMs);
        yield record;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return [{ expected: 'records that can be decoded', found: error.message }];
    }
    if (!this.#deep || header.count === 0 || largest === header.maxTimestamp) return [];
    return [{ expected: `${header.maxTimestamp} as the largest timestamp`, found: `${largest}` }];
  }
}

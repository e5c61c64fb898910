/**
 * Holds the indexes of a segment against its batches, in one pass over all three.
 *
 *   offset entry (o, p): a batch begins at p, and o is its last offset
 *   time entry (t, o): a batch ends with o, t is its largest timestamp, and none before it has a larger one
 *   the last time entry bears the largest timestamp of the segment: retention and searches rely on it
 *   batches that compaction emptied count with the time in their header
 *
 * Source: Kafka's OffsetIndex, TimeIndex, kafka-dump-log --verify-index-only.
 */
import { CorruptionError, NONE } from '../../base/index.ts';
import type { BatchHeader } from '../record/index.ts';
import type { OffsetEntry } from '../segment/offset-index.ts';
import type { TimeEntry } from '../segment/time-index.ts';
import type { Mismatch } from './check-batches.ts';

export interface IndexMismatch extends Mismatch {
  /** In the index file. */
  readonly position: number;
}

/** Reads entries one ahead; where the file is damaged they end, and the damage is a mismatch. */
class Entries<T> {
  readonly #entries: Iterator<T>;
  readonly #entryBytes: number;
  readonly mismatches: IndexMismatch[] = [];
  next: T | undefined;
  count = 0;

  constructor(entries: Iterator<T>, entryBytes: number) {
    this.#entries = entries;
    this.#entryBytes = entryBytes;
    this.#read();
  }

  advance(): void {
    this.count++;
    this.#read();
  }

  say(expected: string, found: string, index = this.count): void {
    this.mismatches.push({ position: index * this.#entryBytes, expected, found });
  }

  #read(): void {
    try {
      const { done, value } = this.#entries.next();
      this.next = done === true ? undefined : value;
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const { position, expected, found } = error;
      this.mismatches.push({ position, expected, found });
      this.next = undefined;
    }
  }
}

export class OffsetIndexVerifier {
  readonly #entries: Entries<OffsetEntry>;

  constructor(entries: Iterator<OffsetEntry>, entryBytes: number) {
    this.#entries = new Entries(entries, entryBytes);
  }

  /** Batches come in the order of the file. */
  note(header: BatchHeader, position: number): void {
    for (let entry = this.#entries.next; entry !== undefined && entry.position <= position; ) {
      if (entry.position < position)
        this.#entries.say(
          `position ${entry.position} of offset ${entry.offset} to begin a batch`,
          'none there',
        );
      else if (entry.offset !== header.lastOffset)
        this.#entries.say(
          `offset ${header.lastOffset}, the last of the batch at ${position}`,
          `offset ${entry.offset}`,
        );
      this.#entries.advance();
      entry = this.#entries.next;
    }
  }

  /** After the last batch, which ends at `endPosition`. */
  end(endPosition: number): { readonly entries: number; readonly mismatches: readonly IndexMismatch[] } {
    for (let entry = this.#entries.next; entry !== undefined; entry = this.#entries.next) {
      this.#entries.say(
        `a position below ${endPosition}`,
        `position ${entry.position} of offset ${entry.offset}`,
      );
      this.#entries.advance();
    }
    return { entries: this.#entries.count, mismatches: this.#entries.mismatches };
  }
}

export class TimeIndexVerifier {
  readonly #entries: Entries<TimeEntry>;
  /** Of the batches so far. */
  #largestMs = NONE;
  #lastMs = NONE;

  constructor(entries: Iterator<TimeEntry>, entryBytes: number) {
    this.#entries = new Entries(entries, entryBytes);
  }

  /** Batches come in the order of the file. */
  note(header: BatchHeader): void {
    this.#largestMs = Math.max(this.#largestMs, header.maxTimestamp);
    for (let entry = this.#entries.next; entry !== undefined && entry.offset <= header.lastOffset; ) {
      this.#compare(entry, header);
      this.#lastMs = entry.timestampMs;
      this.#entries.advance();
      entry = this.#entries.next;
    }
  }

  /** `header` is the batch that holds the offset of `entry`, or the first one after it. */
  #compare(entry: TimeEntry, header: BatchHeader): void {
    const { timestampMs, offset } = entry;
    // Nothing with a time so far: the offset says nothing.
    if (timestampMs === NONE && this.#largestMs === NONE) return;
    if (offset !== header.lastOffset)
      this.#entries.say(`offset ${header.lastOffset}, the last of its batch`, `offset ${offset}`);
    else if (timestampMs !== header.maxTimestamp)
      this.#entries.say(
        `timestamp ${header.maxTimestamp}, the largest of the batch with offset ${offset}`,
        `timestamp ${timestampMs}`,
      );
    else if (timestampMs !== this.#largestMs)
      this.#entries.say(
        `timestamp ${this.#largestMs}, the largest up to offset ${offset}`,
        `timestamp ${timestampMs}`,
      );
  }

  /** After the last batch, behind which offset `endOffset` would come. */
  end(endOffset: number): { readonly entries: number; readonly mismatches: readonly IndexMismatch[] } {
    const entries = this.#entries;
    for (let entry = entries.next; entry !== undefined; entry = entries.next) {
      entries.say(`an offset below ${endOffset}`, `offset ${entry.offset} of timestamp ${entry.timestampMs}`);
      this.#lastMs = entry.timestampMs;
      entries.advance();
    }
    if (entries.mismatches.length === 0 && this.#lastMs !== this.#largestMs)
      entries.say(
        `a last entry of timestamp ${this.#largestMs}, the largest of the segment`,
        this.#lastMs === NONE ? 'none' : `timestamp ${this.#lastMs}`,
        Math.max(0, entries.count - 1),
      );
    return { entries: entries.count, mismatches: entries.mismatches };
  }
}

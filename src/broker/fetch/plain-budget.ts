/**
 * What the reply to one request may hold as objects, of all its partitions together. What is stored is bounded when it
 * is read, but says nothing of this: a batch of a few KB may hold millions of records.
 */
import type { RecordCursor } from '../../log/record/index.ts';
import { HEADER_BYTES, RECORD_BYTES } from '../produce/produce-replies.ts';

/**
 * Records, and headers of records, of one reply. They take 200 bytes of memory each beside what they hold, and as much
 * again while the reply is encoded.
 */
const OBJECTS_MAX = 10_000;

/** What the record weighs in a reply. */
export function plainBytesOf(record: RecordCursor): number {
  return RECORD_BYTES + (record.end - record.start) + HEADER_BYTES * record.headerCount;
}

export class PlainBudget {
  #leftBytes: number;
  #leftObjects = OBJECTS_MAX;
  #isFresh = true;
  #isSpent = false;

  constructor(maxBytes: number) {
    this.#leftBytes = maxBytes;
  }

  /** Something did not fit: nothing will any more. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** False: the record is left to the next request. The first one of a request always fits: its client gets on. */
  take(record: RecordCursor): boolean {
    const bytes = plainBytesOf(record);
    const objects = 1 + record.headerCount;
    this.#isSpent ||= !this.#isFresh && (bytes > this.#leftBytes || objects > this.#leftObjects);
    if (this.#isSpent) return false;
    this.#isFresh = false;
    this.#leftBytes -= bytes;
    this.#leftObjects -= objects;
    return true;
  }
}

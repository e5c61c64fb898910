/**
 * Where the last readers of the files of one log went on, for those who come back: they skip the index, and get what was
 * read ahead for them. Nothing here outlives a change of the layout.
 */
import type { Offset } from '../../base/index.ts';
import type { Segment } from '../segment/segment.ts';
import { NOTHING, type ReadAhead } from './read-ahead.ts';

/** A reader more, and the one that has been silent longest looks into the index again. */
const CURSORS_MAX = 4;

/** Where a batch begins that a reader will want next: spares the index and the batches before it. */
export interface ReadHint {
  readonly segment: Segment;
  readonly offset: Offset;
  readonly position: number;
  /** What the file held from there on when it was read, all of it written and none of it checked; may be empty. */
  ahead: Buffer;
}

export class ReadCursors {
  readonly #shared: ReadAhead;
  #hints: ReadHint[] = [];

  constructor(shared: ReadAhead) {
    this.#shared = shared;
  }

  /** What is known of this place, with or without what was read ahead; it is the caller's now. */
  take(segment: Segment, offset: Offset, withAhead: boolean): ReadHint | undefined {
    const hint = this.#hints.find((one) => one.offset === offset && one.segment === segment);
    if (hint === undefined) return undefined;
    this.#drop(hint);
    return withAhead ? hint : { ...hint, ahead: NOTHING };
  }

  put(hint: ReadHint): void {
    // Another reader came by here meanwhile.
    this.take(hint.segment, hint.offset, false);
    const [oldest] = this.#hints;
    if (oldest !== undefined && this.#hints.length === CURSORS_MAX) this.#drop(oldest);
    this.#hints.push(hint);
    this.#shared.hold(hint);
  }

  clear(): void {
    for (const hint of this.#hints) this.#shared.release(hint);
    this.#hints = [];
  }

  #drop(hint: ReadHint): void {
    this.#hints = this.#hints.filter((one) => one !== hint);
    this.#shared.release(hint);
  }
}

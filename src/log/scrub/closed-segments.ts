import type { LeaderEpoch, Offset } from '../../base/index.ts';
import type { LogState } from '../log-state.ts';
import type { Segment } from '../segment/segment.ts';

/** A closed segment as it was when it was listed. */
export interface ClosedSegment {
  readonly segment: Segment;
  readonly baseOffset: Offset;
  readonly sizeBytes: number;
  /** Of the segment behind it: no batch of this one reaches beyond. */
  readonly endOffset: Offset;
}

/** What of a log is durable, has its indexes saved, and changes only by being taken away or replaced as a whole. */
export class ClosedSegments {
  readonly #log: LogState;

  constructor(log: LogState) {
    this.#log = log;
  }

  /** Ascending. None of a log that is offline or closed. */
  list(): ClosedSegment[] {
    const found: ClosedSegment[] = [];
    for (let i = 0; ; i++) {
      const closed = this.#at(i);
      if (closed === undefined) return found;
      found.push(closed);
    }
  }

  /** The first that begins after `offset`. */
  firstAfter(offset: Offset): ClosedSegment | undefined {
    const { segments } = this.#log;
    const i = segments.indexOf(offset);
    const begins = segments.all[i]?.baseOffset ?? 0;
    return this.#at(begins > offset ? i : i + 1);
  }

  holds({ segment, baseOffset, sizeBytes, endOffset }: ClosedSegment): boolean {
    const now = this.#at(this.#log.segments.indexOf(baseOffset));
    return now?.segment === segment && now.sizeBytes === sizeBytes && now.endOffset === endOffset;
  }

  #at(i: number): ClosedSegment | undefined {
    const { failure, closed, segments, logEndOffset } = this.#log;
    if (failure !== undefined || closed) return undefined;
    const segment = segments.all[i];
    const next = segments.all[i + 1];
    // A roll shows in memory at once; the file of the next segment is made when this one is durable.
    // A cut shows in the offsets and epochs at once, in the files later.
    if (segment === undefined || next?.exists !== true || next.baseOffset > logEndOffset) return undefined;
    return {
      segment,
      baseOffset: segment.baseOffset,
      sizeBytes: segment.writtenBytes,
      endOffset: next.baseOffset,
    };
  }

  /** The leader epoch that wrote `offset`; undefined: the log knows it no more. */
  epochAt(offset: Offset): LeaderEpoch | undefined {
    return this.#log.epochs.cache.epochAt(offset);
  }

  /**
   * Runs `task` while nothing is cut, removed or replaced, unless the segment is no longer what it was. Resolves
   * with false then, and when the log went offline.
   */
  async whileHeld(closed: ClosedSegment, task: () => Promise<void>): Promise<boolean> {
    let ran = false;
    try {
      await this.#log.exclusively(async () => {
        if (!this.holds(closed)) return;
        ran = true;
        await task();
      });
    } catch (error) {
      if (this.#log.failure === undefined && !this.#log.closed) throw error;
      return false;
    }
    return ran;
  }

  get indexIntervalBytes(): number {
    return this.#log.segments.config.indexIntervalBytes;
  }

  get files(): LogState['around']['files'] {
    return this.#log.around.files;
  }
}

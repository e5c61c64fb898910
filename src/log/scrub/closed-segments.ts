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
    const { failure, closed, segments, logEndOffset } = this.#log;
    if (failure !== undefined || closed) return [];
    const found: ClosedSegment[] = [];
    for (const [i, segment] of segments.all.entries()) {
      const next = segments.all[i + 1];
      // A roll shows in memory at once; the file of the next segment is made when this one is durable.
      // A cut shows in the offsets and epochs at once, in the files later.
      if (next?.exists !== true || next.baseOffset > logEndOffset) break;
      const { baseOffset, writtenBytes: sizeBytes } = segment;
      found.push({ segment, baseOffset, sizeBytes, endOffset: next.baseOffset });
    }
    return found;
  }

  holds(closed: ClosedSegment): boolean {
    return this.list().some(
      ({ segment, sizeBytes, endOffset }) =>
        segment === closed.segment && sizeBytes === closed.sizeBytes && endOffset === closed.endOffset,
    );
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

import { assert } from '../base/index.ts';
import type { FileHandle } from '../env/index.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';

/**
 * Keeps at most so many closed segments open, over all logs, least recently used out first. Those in use
 * are not closed, also beyond the limit. Active segments belong to their logs and are never in here.
 */
export class SegmentPool {
  readonly #limit: number;
  /** In the order of use, the latest last; the value counts users. */
  readonly #open = new Map<Segment, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `task` with the file and index of the segment, opening them when needed. */
  async use<T>(
    segment: Segment,
    intervalBytes: number,
    task: (handle: FileHandle, index: SegmentIndex) => Promise<T>,
  ): Promise<T> {
    const users = this.#open.get(segment) ?? 0;
    this.#open.delete(segment);
    this.#open.set(segment, users + 1);
    try {
      if (segment.handle === undefined || segment.index === undefined) await segment.load(intervalBytes);
      const { handle, index } = segment;
      assert(handle !== undefined && index !== undefined, 'a loaded segment has its file and index');
      return await task(handle, index);
    } finally {
      const left = this.#open.get(segment);
      if (left !== undefined) this.#open.set(segment, left - 1);
      await this.#trim();
    }
  }

  /** The segment is active or gone: the pool closes it no more. */
  forget(segment: Segment): void {
    this.#open.delete(segment);
  }

  /** The segment is closed now, and still open. */
  adopt(segment: Segment): void {
    if (!this.#open.has(segment)) this.#open.set(segment, 0);
  }

  async #trim(): Promise<void> {
    if (this.#open.size <= this.#limit) return;
    for (const [segment, users] of this.#open) {
      if (users > 0) continue;
      this.#open.delete(segment);
      await segment.close();
      return;
    }
  }
}

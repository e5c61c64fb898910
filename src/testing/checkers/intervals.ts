/** A set of offsets as half-open intervals. Cheap as long as adding is over when asking begins. */
import type { Offset } from '../../base/index.ts';

interface Interval {
  readonly start: Offset;
  end: Offset;
}

export class Intervals {
  #list: Interval[] = [];
  #isMerged = true;

  add(start: Offset, end: Offset): void {
    if (start >= end) return;
    this.#list.push({ start, end });
    this.#isMerged = false;
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** True: every offset of [start, end) is in the set. */
  covers(start: Offset, end: Offset): boolean {
    if (!this.#isMerged) this.#merge();
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#list[middle]?.start ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    return (this.#list[low - 1]?.end ?? -1) >= end;
  }

  #merge(): void {
    this.#list.sort((a, b) => a.start - b.start);
    const merged: Interval[] = [];
    for (const one of this.#list) {
      const last = merged.at(-1);
      if (last !== undefined && one.start <= last.end) last.end = Math.max(last.end, one.end);
      else merged.push(one);
    }
    this.#list = merged;
    this.#isMerged = true;
  }
}

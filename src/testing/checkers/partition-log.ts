/**
 * One partition as the observers of it describe it: what lies at each offset, and who said so first. At an offset is a value,
 * or, as long as only an acknowledgement of several values tells of it, "some value of that send".
 *
 * A log is strict while every two observations of it must agree. See loss-budget.ts for when that ends.
 */
import type { Offset } from '../../base/index.ts';
import { Intervals } from './intervals.ts';

const CHUNK = 1024;

interface Chunk {
  /** 0: nothing known; v > 0: value v - 1; s < 0: some value of send -s - 1. */
  readonly at: Int32Array;
  /** Event that told. */
  readonly by: Int32Array;
}

/** A reader passed from `from` to `to` without the records between. */
export interface Jump {
  readonly from: Offset;
  readonly to: Offset;
  /** In one poll. */
  readonly isInner: boolean;
  readonly process: string;
  /** Of the poll before, and of the one that came too far. */
  readonly events: readonly number[];
}

/** A reader that was assigned to the end began at `offset`. */
export interface TailStart {
  readonly offset: Offset;
  /** When the assignment was complete. */
  readonly assignedAt: number;
  readonly process: string;
  readonly event: number;
}

export class PartitionLog {
  readonly isStrict: boolean;
  /** What takes this log's place since it can no longer be trusted. */
  successor: PartitionLog | undefined;
  /** Behind everything that anybody read, was acknowledged, or was told to be the end. */
  visibleEnd: Offset = 0;
  /** Offsets that readers have passed over, in order: what is there, they have got. */
  readonly covered = new Intervals();
  /** The same, of what was read since the mark 'final'. */
  readonly coveredFinally = new Intervals();
  readonly jumps: Jump[] = [];
  readonly tailStarts: TailStart[] = [];
  readonly #chunks = new Map<number, Chunk>();
  #lastKey = -1;
  #last: Chunk | undefined;
  /** Keys of the chunks, ascending; as of the last look. */
  #sorted: readonly number[] = [];

  constructor(isStrict: boolean) {
    this.isStrict = isStrict;
  }

  /** What lies at `offset`: see {@link Chunk}. */
  at(offset: Offset): number {
    return this.#find(Math.floor(offset / CHUNK))?.at[offset % CHUNK] ?? 0;
  }

  /** The event that told of `offset`, -1: none. */
  toldBy(offset: Offset): number {
    return this.at(offset) === 0 ? -1 : (this.#find(Math.floor(offset / CHUNK))?.by[offset % CHUNK] ?? -1);
  }

  put(offset: Offset, what: number, event: number): void {
    const key = Math.floor(offset / CHUNK);
    let chunk = this.#find(key);
    if (chunk === undefined) {
      chunk = { at: new Int32Array(CHUNK), by: new Int32Array(CHUNK) };
      this.#chunks.set(key, chunk);
      this.#lastKey = key;
      this.#last = chunk;
    }
    chunk.at[offset % CHUNK] = what;
    chunk.by[offset % CHUNK] = event;
  }

  raiseEnd(end: Offset): void {
    if (end > this.visibleEnd) this.visibleEnd = end;
  }

  /** Every known offset, ascending, with what lies there. */
  forEach(visit: (offset: Offset, what: number, event: number) => void): void {
    for (const key of this.#keys()) {
      const chunk = this.#chunks.get(key) as Chunk;
      for (let i = 0; i < CHUNK; i++) {
        const what = chunk.at[i] ?? 0;
        if (what !== 0) visit(key * CHUNK + i, what, chunk.by[i] ?? -1);
      }
    }
  }

  /** The first known offset in [from, to), or undefined. */
  findBetween(from: Offset, to: Offset): Offset | undefined {
    for (const key of this.#keys()) {
      if ((key + 1) * CHUNK <= from) continue;
      if (key * CHUNK >= to) return undefined;
      const end = Math.min(to, (key + 1) * CHUNK);
      for (let offset = Math.max(from, key * CHUNK); offset < end; offset++)
        if (this.at(offset) !== 0) return offset;
    }
    return undefined;
  }

  #find(key: number): Chunk | undefined {
    if (key === this.#lastKey) return this.#last;
    const chunk = this.#chunks.get(key);
    if (chunk === undefined) return undefined;
    this.#lastKey = key;
    this.#last = chunk;
    return chunk;
  }

  #keys(): readonly number[] {
    if (this.#sorted.length !== this.#chunks.size)
      this.#sorted = [...this.#chunks.keys()].sort((a, b) => a - b);
    return this.#sorted;
  }
}

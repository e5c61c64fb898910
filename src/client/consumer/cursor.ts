/**
 * The reader's place among its partitions: gives what is fetched, partitions by turns, a batch at a time. Pure.
 *
 * Of a batch, `maxRecords` records are decoded at a time. At most one batch is open: another is begun when it is read
 * to its end or put back.
 */
import type { Offset } from '../../base/index.ts';
import type { ConsumedBatch, ConsumedRecord } from './consumed-record.ts';
import type { PartitionState } from './partition-state.ts';

/** Records of one partition that the reader has begun to take. */
interface Current {
  readonly state: PartitionState;
  /** Of the state when they were taken: after a seek they count no more. */
  readonly seeks: number;
  readonly records: readonly ConsumedRecord[];
  readonly highWatermark: Offset;
  next: number;
}

export class Cursor {
  readonly #states: readonly PartitionState[];
  readonly #maxRecords: number;
  readonly #onTaken: () => void;
  #current: Current | undefined;
  #turn = 0;

  /** `onTaken`: a batch was taken out of what is fetched ahead, so that there is room for more. */
  constructor(states: readonly PartitionState[], maxRecords: number, onTaken: () => void) {
    this.#states = states;
    this.#maxRecords = maxRecords;
    this.#onTaken = onTaken;
  }

  /** The next record, or undefined when none is there now. */
  takeRecord(): ConsumedRecord | undefined {
    const current = this.#begin();
    return current?.records[current.next++];
  }

  /** What is left of the records that were begun, or the next ones. */
  takeBatch(): ConsumedBatch | undefined {
    const current = this.#begin();
    if (current === undefined) return undefined;
    const { topic, partition } = current.state;
    const records = current.next === 0 ? current.records : current.records.slice(current.next);
    current.next = current.records.length;
    return { topic, partition, records, highWatermark: current.highWatermark };
  }

  /** Offset of the next record the reader gets of `state`; -1: not known yet. */
  positionOf(state: PartitionState): Offset {
    const current = this.#current;
    const begun = current?.state === state && current.seeks === state.seeks;
    return (begun ? current.records[current.next]?.offset : undefined) ?? state.position;
  }

  /** True: everything below the limits was taken. */
  get isAtLimit(): boolean {
    return this.#states.every((state) => state.isAtLimit && this.positionOf(state) >= state.limit);
  }

  /** Has the next record. */
  #begin(): Current | undefined {
    const begun = this.#current;
    if (begun !== undefined && begun.seeks === begun.state.seeks) {
      const { state } = begun;
      if (state.paused) state.putBack(this.positionOf(state));
      else if (begun.next < begun.records.length) return begun;
      else if (state.isReading && this.#take(state)) return this.#current;
    }
    this.#current = undefined;
    const count = this.#states.length;
    for (let step = 0; step < count; step++) {
      const state = this.#states[(this.#turn + step) % count] as PartitionState;
      if (state.paused || !state.hasFetched || !this.#take(state)) continue;
      this.#turn = (this.#turn + step + 1) % count;
      return this.#current;
    }
    return undefined;
  }

  /** False: it has nothing now. */
  #take(state: PartitionState): boolean {
    const { seeks, bufferedBytes } = state;
    this.#current = undefined;
    try {
      const records = state.take(this.#maxRecords);
      const { takenHighWatermark: highWatermark } = state;
      if (records !== undefined) this.#current = { state, seeks, records, highWatermark, next: 0 };
      return records !== undefined;
    } finally {
      if (state.bufferedBytes < bufferedBytes) this.#onTaken();
    }
  }
}

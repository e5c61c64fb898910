/** The reader's place among its partitions: gives what is fetched, partitions by turns. Pure. */
import type { Offset } from '../../base/index.ts';
import type { ConsumedBatch, ConsumedRecord } from './consumed-record.ts';
import type { PartitionState } from './partition-state.ts';

/** Records of one partition that the reader has begun to take. */
interface Current {
  readonly state: PartitionState;
  /** Of the state when they were taken: after a seek they count no more. */
  readonly turn: number;
  readonly records: readonly ConsumedRecord[];
  next: number;
}

export class Cursor {
  readonly #states: readonly PartitionState[];
  readonly #onTaken: () => void;
  #current: Current | undefined;
  #turn = 0;

  /** `onTaken`: a batch was taken out of what is fetched ahead, so that there is room for more. */
  constructor(states: readonly PartitionState[], onTaken: () => void) {
    this.#states = states;
    this.#onTaken = onTaken;
  }

  /** The next record, or undefined when none is there now. */
  takeRecord(): ConsumedRecord | undefined {
    const current = this.#begin();
    return current?.records[current.next++];
  }

  /** What is left of the batch that was begun, or the next one. */
  takeBatch(): ConsumedBatch | undefined {
    const current = this.#begin();
    if (current === undefined) return undefined;
    const { topic, partition, highWatermark } = current.state;
    const records = current.next === 0 ? current.records : current.records.slice(current.next);
    current.next = current.records.length;
    return { topic, partition, records, highWatermark };
  }

  /** Offset of the next record the reader gets of `state`; -1: not known yet. */
  positionOf(state: PartitionState): Offset {
    const current = this.#current;
    const begun = current?.state === state && current.turn === state.turn;
    return (begun ? current.records[current.next]?.offset : undefined) ?? state.position;
  }

  /** True: everything below the limits was taken. */
  get isAtLimit(): boolean {
    return this.#states.every((state) => state.isAtLimit && this.positionOf(state) >= state.limit);
  }

  /** The batch with the next record. */
  #begin(): Current | undefined {
    const begun = this.#current;
    if (begun !== undefined && begun.next < begun.records.length && begun.turn === begun.state.turn) {
      if (!begun.state.paused) return begun;
      begun.state.moveTo(this.positionOf(begun.state));
    }
    this.#current = undefined;
    const count = this.#states.length;
    for (let step = 0; step < count; step++) {
      const state = this.#states[(this.#turn + step) % count] as PartitionState;
      if (state.paused || !state.hasFetched) continue;
      const records = state.take();
      this.#onTaken();
      if (records === undefined) continue;
      this.#turn = (this.#turn + step + 1) % count;
      this.#current = { state, turn: state.turn, records, next: 0 };
      return this.#current;
    }
    return undefined;
  }
}

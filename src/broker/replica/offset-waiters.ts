/**
 * Requests that wait for an offset of one partition to be reached: by the written end for acks=1, by the high watermark
 * for acks=all. Kept in ascending order, so that a move completes a prefix. Offsets come in order but for duplicates of
 * earlier batches, which are put where they belong.
 *
 * Bounded by the pending requests of the broker times the partitions of a request.
 */
import type { Offset } from '../../base/index.ts';
import type { PendingProduce } from './pending-produce.ts';

export interface OffsetWaiter {
  /** One past the last offset to be reached. */
  readonly requiredOffset: Offset;
  readonly request: PendingProduce;
  /** Place in the request. */
  readonly index: number;
}

/** Waiters of requests that timed out are swept when this many lie around and they are the majority. */
const DEAD_MAX = 64;

export class OffsetWaiters {
  #waiters: OffsetWaiter[] = [];
  #dead = 0;

  get size(): number {
    return this.#waiters.length;
  }

  add(waiter: OffsetWaiter): void {
    let at = this.#waiters.length;
    while (at > 0 && (this.#waiters[at - 1] as OffsetWaiter).requiredOffset > waiter.requiredOffset) at--;
    if (at === this.#waiters.length) this.#waiters.push(waiter);
    else this.#waiters.splice(at, 0, waiter);
  }

  /** Takes out those that need no more than `reached`. */
  complete(reached: Offset, done: (waiter: OffsetWaiter) => void): void {
    const waiters = this.#waiters;
    let count = 0;
    while (count < waiters.length && (waiters[count] as OffsetWaiter).requiredOffset <= reached) count++;
    if (count === 0) return;
    const finished = waiters.splice(0, count);
    for (const waiter of finished) done(waiter);
  }

  /** Takes out all. */
  drain(done: (waiter: OffsetWaiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#dead = 0;
    for (const waiter of waiters) done(waiter);
  }

  /** One of the waiters' requests gave up waiting. */
  noteDead(): void {
    this.#dead++;
    if (this.#dead < DEAD_MAX || this.#dead * 2 < this.#waiters.length) return;
    this.#waiters = this.#waiters.filter((waiter) => !waiter.request.isDone(waiter.index));
    this.#dead = 0;
  }
}

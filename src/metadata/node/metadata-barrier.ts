/**
 * Holds answers until every live broker has the metadata they speak of, so that whoever is told "created" finds the
 * topic on any broker. Waiting ends by time too: the change is committed, an answer that comes late helps nobody.
 */
import type { Offset } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';

interface Waiter {
  readonly offset: Offset;
  readonly timer: Timer;
  readonly done: () => void;
}

export class MetadataBarrier {
  readonly #timers: Timers;
  /** One per running request: bounded by what the machine parks. */
  readonly #waiters = new Set<Waiter>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves once `release` was called with at least `offset`, or after `timeoutMs`. */
  wait(offset: Offset, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#timers.after(timeoutMs, () => this.#end(waiter));
      const waiter: Waiter = { offset, timer, done: resolve };
      this.#waiters.add(waiter);
    });
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Every live broker has published everything below `offset`. */
  release(offset: Offset): void {
    for (const waiter of [...this.#waiters]) if (waiter.offset <= offset) this.#end(waiter);
  }

  #end(waiter: Waiter): void {
    waiter.timer.cancel();
    this.#waiters.delete(waiter);
    waiter.done();
  }
}

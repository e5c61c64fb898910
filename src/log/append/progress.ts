import type { Offset } from '../../base/index.ts';

interface Waiter {
  readonly offset: Offset;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** An offset that moves forward, and those who wait for it. It moves back only by `retreat`. */
export class Progress {
  #offset: Offset;
  #waiters: Waiter[] = [];
  #failure: Error | undefined;

  constructor(offset: Offset) {
    this.#offset = offset;
  }

  get offset(): Offset {
    return this.#offset;
  }

  /** Resolves when everything below `offset` has been passed; rejects when that cannot come any more. */
  wait(offset: Offset): Promise<void> {
    if (offset <= this.#offset) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset, resolve, reject });
    });
  }

  advance(offset: Offset): void {
    if (offset <= this.#offset) return;
    this.#offset = offset;
    if (this.#waiters.length === 0) return;
    const done = this.#waiters.filter((waiter) => waiter.offset <= offset);
    this.#waiters = this.#waiters.filter((waiter) => waiter.offset > offset);
    for (const waiter of done) waiter.resolve();
  }

  /** Falls back to `offset` at most; who waits for more is turned away with `reason`. */
  retreat(offset: Offset, reason: Error): void {
    this.#offset = Math.min(this.#offset, offset);
    const gone = this.#waiters.filter((waiter) => waiter.offset > offset);
    this.#waiters = this.#waiters.filter((waiter) => waiter.offset <= offset);
    for (const waiter of gone) waiter.reject(reason);
  }

  /** Turns everybody away, now and later. */
  fail(error: Error): void {
    this.#failure = error;
    const gone = this.#waiters;
    this.#waiters = [];
    for (const waiter of gone) waiter.reject(error);
  }
}

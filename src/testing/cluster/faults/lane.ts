/**
 * One direction of messages between two places of a cluster. While it is blocked it holds what is sent, in order, as TCP
 * holds what it cannot deliver; whoever stays blocked for long loses the connection, as keepalives would have found out.
 */
import type { Timer, Timers } from '../../../env/index.ts';

/** A call that dies with its connection. */
export interface Breakable {
  breakOff(): void;
}

/** What HTTP/2 keepalives of the transport need to notice that nobody answers. */
const SILENCE_MS_MAX = 15_000;

export class Lane {
  /** Calls that use it, until both ends know of their end. */
  readonly calls = new Set<Breakable>();
  readonly #timers: Timers;
  #held: (() => void)[] = [];
  #blocks: number;
  #silence: Timer | undefined;

  /** `blocks`: as many as `unblock` is going to be called for already. */
  constructor(timers: Timers, blocks: number) {
    this.#timers = timers;
    this.#blocks = blocks;
    if (blocks > 0) this.#awaitBreak();
  }

  /** Delivers at once when the lane is free, else when it is. */
  run(deliver: () => void): void {
    if (this.#blocks === 0 && this.#held.length === 0) deliver();
    else this.#held.push(deliver);
  }

  /** Blocks add up: the lane is free when each is undone. */
  block(): void {
    if (this.#blocks++ === 0) this.#awaitBreak();
  }

  unblock(): void {
    if (--this.#blocks > 0) return;
    this.#silence?.cancel();
    while (this.#blocks === 0) {
      const deliver = this.#held.shift();
      if (deliver === undefined) return;
      deliver();
    }
  }

  #awaitBreak(): void {
    this.#silence = this.#timers.after(SILENCE_MS_MAX, () => {
      for (const call of [...this.calls]) call.breakOff();
      this.#awaitBreak();
    });
  }
}

import { assert, type MonotonicMs } from '../../../base/index.ts';

/** What a pause may make up for: idle time before does not buy a burst. */
const BURST_MS = 250;

/** How long to wait so that bytes pass at no more than a rate. Source: Kafka's Throttler. */
export class Throttle {
  readonly #bytesPerSecond: number;
  /** When everything passed so far has been paid for. */
  #paidMs: MonotonicMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number) {
    assert(bytesPerSecond > 0, 'a rate is above 0', { bytesPerSecond });
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** `bytes` have passed: milliseconds to wait before more do; 0: none. */
  pass(bytes: number, nowMs: MonotonicMs): number {
    this.#paidMs = Math.max(this.#paidMs, nowMs - BURST_MS) + (bytes * 1000) / this.#bytesPerSecond;
    return Math.max(0, this.#paidMs - nowMs);
  }
}

import type { MonotonicMs, WallMs } from '../../base/index.ts';
import type { Clock, Timer, Timers } from '../clock.ts';

/** The clocks of this machine. */
export function nodeClock(): Clock {
  return {
    monotonicMs: (): MonotonicMs => performance.now(),
    wallMs: (): WallMs => Date.now(),
  };
}

/** Longest delay setTimeout takes; a longer one would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Timers of this process. A timer that is set keeps the process alive, as setTimeout does. */
export function nodeTimers(): Timers {
  return { after: (delayMs, task) => new NodeTimer(delayMs, task) };
}

/** setTimeout may fire up to a millisecond early and cannot wait for more than 24 days: both are mended here. */
class NodeTimer implements Timer {
  readonly #dueMs: number;
  readonly #task: () => void;
  #handle: NodeJS.Timeout | undefined;

  constructor(delayMs: number, task: () => void) {
    this.#dueMs = performance.now() + delayMs;
    this.#task = task;
    this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #arm(delayMs: number): void {
    this.#handle = setTimeout(() => this.#fire(), Math.min(Math.max(delayMs, 0), TIMEOUT_MS_MAX));
  }

  #fire(): void {
    const leftMs = this.#dueMs - performance.now();
    if (leftMs > 0) {
      this.#arm(Math.ceil(leftMs));
    } else {
      this.#handle = undefined;
      this.#task();
    }
  }
}

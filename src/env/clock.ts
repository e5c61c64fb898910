import type { MonotonicMs, WallMs } from '../base/index.ts';

/** Time. Two clocks with two meanings: never compare one with the other. */
export interface Clock {
  /** Never goes back; unrelated to the date. For timeouts, leases, latencies. May have fractions. */
  monotonicMs(): MonotonicMs;
  /** Milliseconds since 1970 UTC, an integer; may jump. For timestamps in records, nothing else. */
  wallMs(): WallMs;
}

/** A timer that has been set. Cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Runs `task` once, at least `delayMs` from now, never before this call returned. */
  after(delayMs: number, task: () => void): Timer;
}

/** Resolves after `delayMs`, or rejects with the signal's reason when `signal` aborts first. */
export function sleep(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = timers.after(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

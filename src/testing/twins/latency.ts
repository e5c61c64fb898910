import type { Timers } from '../../env/index.ts';

/** How long an operation of a twin takes in virtual time. Without it, an operation ends in the microtask queue. */
export interface Latency {
  /** Of virtual time: a scheduler, or timers that can be paused. */
  readonly scheduler: Timers;
  /** Milliseconds for one operation named `operation`, for instance 'write' or 'sync'. */
  delayMs(operation: string): number;
}

/** Resolves when an operation begun now would be done. */
export function operationDone(latency: Latency | undefined, operation: string): Promise<void> {
  if (latency === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    latency.scheduler.after(latency.delayMs(operation), resolve);
  });
}

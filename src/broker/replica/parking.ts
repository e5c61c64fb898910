/**
 * Where fetches wait for a partition to move, for their time to run out, or for their caller to go away; whichever is
 * first, and once.
 */
import { ApiError } from '../../base/index.ts';
import type { Timers } from '../../env/index.ts';
import type { Partition } from './partition.ts';
import type { PartitionChange, PartitionListener } from './partition-listeners.ts';

export class Parking {
  readonly #timers: Timers;
  readonly #countMax: number;
  readonly #parked = new Set<() => void>();
  #closed = false;

  constructor(timers: Timers, countMax: number) {
    this.#timers = timers;
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#parked.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when a high watermark or role of `partitions` changes, after `timeoutMs`, on abort, or at close. */
  park(partitions: readonly Partition[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#parked.size >= this.#countMax)
      throw new ApiError('RESOURCE_EXHAUSTED', 'too many fetches wait on this broker; try again');
    return new Promise((resolve) => {
      const leave = (): void => {
        if (!this.#parked.delete(leave)) return;
        timer.cancel();
        signal.removeEventListener('abort', leave);
        for (const partition of partitions) partition.unsubscribe(listener);
        resolve();
      };
      const listener: PartitionListener = {
        handlePartitionChange: (change: PartitionChange) => {
          if (change === 'high-watermark' || change === 'role') leave();
        },
      };
      this.#parked.add(leave);
      const timer = this.#timers.after(timeoutMs, leave);
      signal.addEventListener('abort', leave, { once: true });
      for (const partition of partitions) partition.subscribe(listener);
    });
  }

  close(): void {
    this.#closed = true;
    for (const leave of [...this.#parked]) leave();
  }
}

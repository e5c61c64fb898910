import type { MonotonicMs, WallMs } from '../../base/index.ts';
import type { Clock, Timer, Timers } from '../../env/index.ts';
import { type Scheduler, TICKS_PER_MS } from './scheduler.ts';

/** 2025-01-01T00:00:00Z: the virtual date at virtual time 0. */
export const VIRTUAL_EPOCH_MS: WallMs = 1_735_689_600_000;

/** The clocks of one node: its date may be wrong and may jump, its monotonic time may run fast or slow. */
export class VirtualClock implements Clock {
  /** Milliseconds its date is ahead of the true one. */
  skewMs: number;
  readonly #rate: number;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, options: { readonly skewMs?: number; readonly rate?: number } = {}) {
    this.#scheduler = scheduler;
    this.skewMs = options.skewMs ?? 0;
    this.#rate = options.rate ?? 1;
  }

  monotonicMs(): MonotonicMs {
    return this.#scheduler.nowMs * this.#rate;
  }

  wallMs(): WallMs {
    return Math.floor(VIRTUAL_EPOCH_MS + this.#scheduler.nowMs * this.#rate + this.skewMs);
  }
}

/**
 * The timers of one node. `stop` is the node's death: none of its timers fires any more. `pause` is SIGSTOP: timers
 * that come due meanwhile fire after `resume`, in order.
 */
export class VirtualTimers implements Timers {
  readonly #scheduler: Scheduler;
  readonly #rate: number;
  readonly #owner: string | undefined;
  #state: 'running' | 'paused' | 'stopped' = 'running';
  #pending = 0;
  #late: { task: (() => void) | undefined }[] = [];

  /** `owner`: of their events. */
  constructor(
    scheduler: Scheduler,
    options: { readonly rate?: number; readonly owner?: string | undefined } = {},
  ) {
    this.#scheduler = scheduler;
    this.#rate = options.rate ?? 1;
    this.#owner = options.owner;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry: { task: (() => void) | undefined } = { task };
    const rounding = this.#rate === 1 ? 0 : 1 / TICKS_PER_MS;
    const trueDelayMs = Math.max(delayMs, 0) / this.#rate + rounding;
    this.#pending++;
    const timer = this.#scheduler.after(trueDelayMs, () => this.#fire(entry), this.#owner);
    const cancel = (): void => {
      timer.cancel();
      if (entry.task !== undefined) this.#pending--;
      entry.task = undefined;
    };
    return { cancel };
  }

  /** Set, neither fired nor cancelled. */
  get pending(): number {
    return this.#pending;
  }

  stop(): void {
    this.#state = 'stopped';
    this.#late = [];
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const late = this.#late;
    this.#late = [];
    for (const entry of late) this.#scheduler.after(0, () => this.#fire(entry), this.#owner);
  }

  #fire(entry: { task: (() => void) | undefined }): void {
    if (this.#state === 'paused') this.#late.push(entry);
    else if (this.#state === 'running') {
      const { task } = entry;
      entry.task = undefined;
      if (task !== undefined) this.#pending--;
      task?.();
    }
  }
}

import type { MonotonicMs, WallMs } from '../../base/index.ts';
import type { Clock, Timer, Timers } from '../../env/index.ts';
import { type Scheduler, TICKS_PER_MS } from './scheduler.ts';

/** 2025-01-01T00:00:00Z: the virtual date at virtual time 0. */
export const VIRTUAL_EPOCH_MS: WallMs = 1_735_689_600_000;

/** How fast time passes for one node. It goes on from where it was when that changes. */
class Pace {
  /** How often it changed. */
  changes = 0;
  readonly #scheduler: Scheduler;
  #rate: number;
  #sinceMs = 0;
  #beforeMs = 0;

  constructor(scheduler: Scheduler, rate = 1) {
    this.#scheduler = scheduler;
    this.#rate = rate;
  }

  get nowMs(): MonotonicMs {
    return this.#beforeMs + (this.#scheduler.nowMs - this.#sinceMs) * this.#rate;
  }

  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    if (rate === this.#rate) return;
    this.#beforeMs = this.nowMs;
    this.#sinceMs = this.#scheduler.nowMs;
    this.#rate = rate;
    this.changes++;
  }
}

/** The clocks of one node: its date may be wrong and may jump, its monotonic time may run fast or slow. */
export class VirtualClock implements Clock {
  /** Milliseconds its date is ahead of the true one. */
  skewMs: number;
  readonly #pace: Pace;

  constructor(scheduler: Scheduler, options: { readonly skewMs?: number; readonly rate?: number } = {}) {
    this.skewMs = options.skewMs ?? 0;
    this.#pace = new Pace(scheduler, options.rate);
  }

  get rate(): number {
    return this.#pace.rate;
  }

  set rate(rate: number) {
    this.#pace.rate = rate;
  }

  monotonicMs(): MonotonicMs {
    return this.#pace.nowMs;
  }

  wallMs(): WallMs {
    return Math.floor(VIRTUAL_EPOCH_MS + this.#pace.nowMs + this.skewMs);
  }
}

interface Entry {
  task: (() => void) | undefined;
  /** By the node's own time. */
  readonly dueMs: MonotonicMs;
  /** Changes of the pace before it was set. */
  readonly changes: number;
}

/**
 * The timers of one node. `stop` is the node's death: none of its timers fires any more. `pause` is SIGSTOP: timers
 * that come due meanwhile fire after `resume`, in order. When the pace changes those that are set may be late, never early.
 */
export class VirtualTimers implements Timers {
  readonly #scheduler: Scheduler;
  readonly #pace: Pace;
  readonly #owner: string | undefined;
  #state: 'running' | 'paused' | 'stopped' = 'running';
  #pending = 0;
  #late: Entry[] = [];

  /** `owner`: of their events. */
  constructor(
    scheduler: Scheduler,
    options: { readonly rate?: number; readonly owner?: string | undefined } = {},
  ) {
    this.#scheduler = scheduler;
    this.#pace = new Pace(scheduler, options.rate);
    this.#owner = options.owner;
  }

  set rate(rate: number) {
    this.#pace.rate = rate;
  }

  after(delayMs: number, task: () => void): Timer {
    const { nowMs, changes } = this.#pace;
    const entry: Entry = { task, dueMs: nowMs + Math.max(delayMs, 0), changes };
    this.#pending++;
    const timer = this.#wait(delayMs, entry);
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

  #wait(delayMs: number, entry: Entry): Timer {
    const { rate } = this.#pace;
    const rounding = rate === 1 ? 0 : 1 / TICKS_PER_MS;
    const trueDelayMs = Math.max(delayMs, 0) / rate + rounding;
    return this.#scheduler.after(trueDelayMs, () => this.#fire(entry), this.#owner);
  }

  #fire(entry: Entry): void {
    const { nowMs, changes } = this.#pace;
    if (entry.changes !== changes && entry.dueMs > nowMs) this.#wait(entry.dueMs - nowMs, entry);
    else if (this.#state === 'paused') this.#late.push(entry);
    else if (this.#state === 'running') {
      const { task } = entry;
      entry.task = undefined;
      if (task !== undefined) this.#pending--;
      task?.();
    }
  }
}

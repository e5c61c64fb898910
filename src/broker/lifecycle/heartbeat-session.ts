import type { MonotonicMs } from '../../base/index.ts';
import type { ControllerRef } from './lifecycle-events.ts';

/** Between heartbeats that wait for something: to be unfenced, or to be let go. */
export const EAGER_INTERVAL_MS = 50;
/** A session that answered nothing for this many intervals is opened again. */
const SILENT_INTERVALS_MAX = 2;

/**
 * One session stream to a controller, as a clock: which heartbeats it carried, which of them are answered, when the next is
 * due. Heartbeats that wait for something go one at a time; what comes meanwhile is told by the next.
 */
export class HeartbeatSession {
  readonly number: number;
  readonly controller: ControllerRef;
  readonly #intervalMs: number;
  #answered = false;
  #lastSentMs: MonotonicMs;
  /** When the oldest heartbeat without a reply was sent; undefined: all are answered. */
  #waitingSinceMs: MonotonicMs | undefined;
  #lastCorrelationId = 0;

  constructor(number: number, controller: ControllerRef, times: { intervalMs: number; nowMs: MonotonicMs }) {
    this.number = number;
    this.controller = controller;
    this.#intervalMs = times.intervalMs;
    this.#lastSentMs = times.nowMs;
  }

  /** True when a reply has come, and none since that ended the session. */
  get answered(): boolean {
    return this.#answered;
  }

  noteSent(correlationId: number, nowMs: MonotonicMs): void {
    this.#lastSentMs = nowMs;
    this.#waitingSinceMs ??= nowMs;
    this.#lastCorrelationId = correlationId;
  }

  /** Replies come in order: this one answers all before it. */
  noteReply(correlationId: number): void {
    this.#answered = true;
    if (correlationId >= this.#lastCorrelationId) this.#waitingSinceMs = undefined;
  }

  /** What it answered counts no more: it is not to be opened again at once. */
  noteUseless(): void {
    this.#answered = false;
  }

  dueMs({ urgent, eager }: { readonly urgent: boolean; readonly eager: boolean }): MonotonicMs {
    const interval = this.#lastSentMs + this.#intervalMs;
    if (this.#waitingSinceMs !== undefined) return interval;
    if (urgent) return this.#lastSentMs;
    return eager ? Math.min(interval, this.#lastSentMs + EAGER_INTERVAL_MS) : interval;
  }

  /** When its silence is too long; Infinity: nothing is awaited. */
  silentAtMs(): MonotonicMs {
    const since = this.#waitingSinceMs;
    return since === undefined ? Number.POSITIVE_INFINITY : since + SILENT_INTERVALS_MAX * this.#intervalMs;
  }
}

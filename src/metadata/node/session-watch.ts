/**
 * The one timer behind all broker sessions: it stands at the end of the session that ends first, fences that broker, waits
 * for the fencing to commit, and stands again. What is heard of a broker only moves its end away, so the timer is not
 * touched by heartbeats; a broken stream brings it nearer, and re-arms it.
 *
 * A timer that fires late says that this process stood still. What its brokers said meanwhile waits in its sockets: it is
 * heard first, and only then anybody is called silent (KAFKA-15019).
 */
import type { MonotonicMs, NodeId } from '../../base/index.ts';
import type { Environment, Timer } from '../../env/index.ts';
import type { BrokerSessions } from '../controller/broker-sessions.ts';
import type { MetadataImage } from '../image/image.ts';

export interface SessionWatchOptions {
  readonly environment: Pick<Environment, 'clock' | 'timers'>;
  readonly sessions: BrokerSessions;
  readonly image: () => MetadataImage;
  /** True when it is done or not needed any more, false when it cannot be done now. */
  readonly fence: (brokerId: NodeId) => Promise<boolean>;
}

/** Pause after a fencing that failed, as when too many requests wait. */
const RETRY_MS = 100;
/** A timer this late: the process stood still. */
const LATE_MS = 250;
/** For hearing what arrived while the process stood still. */
const LISTEN_MS = 500;
/** Not again so soon: a process that is always late still fences. */
const LISTEN_AGAIN_MS = 5_000;

export class SessionWatch {
  readonly #options: SessionWatchOptions;
  #timer: Timer | undefined;
  /** When `#timer` should fire. */
  #dueMs: MonotonicMs = 0;
  /** Nobody is fenced before. */
  #notBeforeMs: MonotonicMs = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  #isFencing = false;

  constructor(options: SessionWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isRunning = true;
    this.arm();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** To be called when a session may end sooner than before: a stream broke, a broker was unfenced or first heard. */
  arm(): void {
    this.#noteStandstill();
    this.#timer?.cancel();
    this.#timer = undefined;
    const { sessions, image } = this.#options;
    const expiresAtMs = sessions.nextExpiryMs(image());
    if (!this.#isRunning || this.#isFencing || expiresAtMs === undefined) return;
    this.#setTimer(Math.max(expiresAtMs, this.#notBeforeMs), () => void this.#expire());
  }

  #setTimer(atMs: MonotonicMs, task: () => void): void {
    const nowMs = this.#nowMs();
    this.#dueMs = Math.max(atMs, nowMs);
    this.#timer = this.#options.environment.timers.after(this.#dueMs - nowMs, task);
  }

  #noteStandstill(): void {
    const nowMs = this.#nowMs();
    const isLate = this.#timer !== undefined && nowMs - this.#dueMs > LATE_MS;
    if (isLate && nowMs - this.#notBeforeMs > LISTEN_AGAIN_MS) this.#notBeforeMs = nowMs + LISTEN_MS;
  }

  async #expire(): Promise<void> {
    this.#noteStandstill();
    this.#timer = undefined;
    const { sessions, image, fence } = this.#options;
    const nowMs = this.#nowMs();
    const brokerId = nowMs < this.#notBeforeMs ? undefined : sessions.findExpired(image(), nowMs);
    if (brokerId === undefined) {
      this.arm();
      return;
    }
    this.#isFencing = true;
    const isDone = await fence(brokerId);
    this.#isFencing = false;
    if (isDone || !this.#isRunning) this.arm();
    else this.#setTimer(this.#nowMs() + RETRY_MS, () => this.arm());
  }

  #nowMs(): MonotonicMs {
    return this.#options.environment.clock.monotonicMs();
  }
}

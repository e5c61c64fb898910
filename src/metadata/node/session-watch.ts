/**
 * The one timer behind all broker sessions: it stands at the end of the session that ends first, fences that broker, waits
 * for the fencing to commit, and stands again. What is heard of a broker only moves its end away, so the timer is not
 * touched by heartbeats; a broken stream brings it nearer, and re-arms it.
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

export class SessionWatch {
  readonly #options: SessionWatchOptions;
  #timer: Timer | undefined;
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

  /** To be called when a session may end sooner than before: a stream broke, a broker was unfenced. */
  arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { sessions, image, environment } = this.#options;
    const expiresAtMs = sessions.nextExpiryMs(image());
    if (!this.#isRunning || this.#isFencing || expiresAtMs === undefined) return;
    const delayMs = Math.max(0, expiresAtMs - this.#nowMs());
    this.#timer = environment.timers.after(delayMs, () => void this.#expire());
  }

  async #expire(): Promise<void> {
    this.#timer = undefined;
    const { sessions, image, fence, environment } = this.#options;
    const brokerId = sessions.findExpired(image(), this.#nowMs());
    if (brokerId === undefined) {
      this.arm();
      return;
    }
    this.#isFencing = true;
    const isDone = await fence(brokerId);
    this.#isFencing = false;
    if (isDone || !this.#isRunning) this.arm();
    else this.#timer = environment.timers.after(RETRY_MS, () => this.arm());
  }

  #nowMs(): MonotonicMs {
    return this.#options.environment.clock.monotonicMs();
  }
}

/**
 * Files that have lost their name and go later, one after another: who reads them still may finish, and a thousand
 * segments that retention takes at once do not keep the disk from those who write. Source: Kafka's file.delete.delay.ms.
 *
 * What is not removed when the process ends, in whatever way, is found by its name and removed at the next start. There
 * are as many entries as files on the disk: that bounds them.
 */
import { EnvironmentError } from '../../base/index.ts';
import type { Logger, Timer, Timers } from '../../env/index.ts';

export interface Doomed {
  /** For the log of the broker. */
  readonly path: string;
  /** Closes what is open and removes the files. Rejects with EnvironmentError. */
  remove(): Promise<void>;
  /** Closes what is open; the files stay. */
  close(): Promise<void>;
}

export class DelayedRemovals {
  readonly #logger: Logger;
  readonly #timers: Timers | undefined;
  readonly #waiting = new Map<Doomed, Timer>();
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  /** Without timers nothing is delayed. */
  constructor(logger: Logger, timers?: Timers) {
    this.#logger = logger;
    this.#timers = timers;
  }

  /** Removals that wait for their time. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Resolves at once, or without delay when the files are gone; never rejects for a disk that refuses. */
  async add(doomed: Doomed, delayMs: number): Promise<void> {
    if (this.#closed) return doomed.close();
    if (this.#timers === undefined || delayMs <= 0) return this.#remove(doomed);
    const timer = this.#timers.after(delayMs, () => {
      this.#waiting.delete(doomed);
      void this.#remove(doomed);
    });
    this.#waiting.set(doomed, timer);
  }

  /** Finishes the removal under way, and leaves the rest to the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = [...this.#waiting.keys()];
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
    await this.#last;
    for (const doomed of left) await doomed.close();
  }

  #remove(doomed: Doomed): Promise<void> {
    this.#last = this.#last.then(async () => {
      try {
        await (this.#closed ? doomed.close() : doomed.remove());
      } catch (error) {
        if (!(error instanceof EnvironmentError)) throw error;
        const fields = { path: doomed.path, reason: error.reason, error: error.message };
        this.#logger.warn(fields, 'files could not be removed: the next start tries again');
      }
    });
    return this.#last;
  }
}

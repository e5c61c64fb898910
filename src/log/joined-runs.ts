/**
 * A task that runs one at a time, and of which a run that has not begun serves everybody who asks meanwhile: a thousand
 * logs that each want the checkpoints saved cost two runs, not a thousand.
 */
export class JoinedRuns {
  readonly #task: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(task: () => Promise<void>) {
    this.#task = task;
  }

  /** Resolves or rejects with a run that began after this call. */
  run(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      const done = this.#task();
      this.#next = undefined;
      this.#running = done.catch(() => {});
      return done;
    });
    return this.#next;
  }
}

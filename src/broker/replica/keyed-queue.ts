/**
 * Runs tasks of one key one after another, of different keys side by side.
 *
 * With nothing queued for its key a task runs inside the call, so that a synchronous one (becoming leader of a log that is
 * there) is done when `run` returns. A failed task is reported and does not stop those behind it.
 */
export class KeyedQueue {
  /** The last task of each key that has one; their number is bounded by the partitions of the broker. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #onError: (error: unknown, key: string) => void;

  constructor(onError: (error: unknown, key: string) => void) {
    this.#onError = onError;
  }

  get busyKeys(): number {
    return this.#tails.size;
  }

  isBusy(key: string): boolean {
    return this.#tails.has(key);
  }

  run(key: string, task: () => void | Promise<void>): void {
    const before = this.#tails.get(key);
    const running = before === undefined ? this.#start(key, task) : before.then(() => this.#start(key, task));
    if (running === undefined) return;
    const tail = running.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
  }

  /** Resolves when every queue has been empty at once. */
  async settled(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  #start(key: string, task: () => void | Promise<void>): Promise<void> | undefined {
    try {
      return task()?.catch((error: unknown) => this.#onError(error, key));
    } catch (error) {
      this.#onError(error, key);
      return undefined;
    }
  }
}

/**
 * SIGSTOP for a node that shares its process with others: timers that come due and I/O that completes meanwhile are kept,
 * and go on in order when it thaws. Its messages are the links' to hold.
 */
import type { Environment, Timers } from '../../../env/index.ts';
import { type Around, aroundFiles, aroundStores } from '../around-disk.ts';

export class Freezer {
  #late: (() => void)[] | undefined;

  get isFrozen(): boolean {
    return this.#late !== undefined;
  }

  freeze(): void {
    this.#late ??= [];
  }

  thaw(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const task of late) task();
  }

  /** What a node sees of `environment`. */
  wrap(environment: Environment): Environment {
    return {
      ...environment,
      timers: this.#timers(environment.timers),
      files: aroundFiles(environment.files, this.#hold),
      stores: aroundStores(environment.stores, this.#hold),
    };
  }

  #timers(timers: Timers): Timers {
    return {
      after: (delayMs, task) => {
        let isCancelled = false;
        const run = (): void => {
          if (isCancelled) return;
          if (this.#late === undefined) task();
          else this.#late.push(run);
        };
        const timer = timers.after(delayMs, run);
        return {
          cancel() {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }

  /** Settles as `operation` does, and not while it is frozen. */
  readonly #hold: Around = async (_path, operation) => {
    try {
      return await operation();
    } finally {
      const late = this.#late;
      if (late !== undefined) await new Promise<void>((resolve) => late.push(resolve));
    }
  };
}

/**
 * `kill -9` for a node that shares its process with others: from one moment on nothing the node does has an effect.
 *
 * Its timers no longer fire, its I/O never completes, its handles are closed behind its back so that the next start can
 * have them. What it wrote stays, as the page cache survives a killed process. Its sockets are the transport's to break.
 */
import type {
  Environment,
  FileHandle,
  FileLock,
  Files,
  KeyValueStore,
  KeyValueStores,
  Timer,
  Timers,
} from '../../env/index.ts';

const NEVER = new Promise<never>(() => {});

export class KillSwitch {
  #dead = false;
  readonly #timers = new Set<Timer>();
  readonly #closers = new Set<() => Promise<void>>();

  get isDead(): boolean {
    return this.#dead;
  }

  /** The node's view of `environment`. */
  wrap(environment: Environment): Environment {
    return {
      ...environment,
      timers: this.#wrapTimers(environment.timers),
      files: this.#wrapFiles(environment.files),
      stores: this.#wrapStores(environment.stores),
      exit: { fatal: (reason, error) => this.#dead || environment.exit.fatal(reason, error) },
    };
  }

  /** Resolves when the files, stores and locks the node held are free again. */
  async kill(): Promise<void> {
    if (this.#dead) return;
    this.#dead = true;
    for (const timer of this.#timers) timer.cancel();
    await Promise.allSettled([...this.#closers].map((close) => close()));
  }

  /** Lets `operation` start and complete only while the node lives. */
  async #alive<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#dead) return NEVER;
    try {
      const result = await operation();
      return this.#dead ? NEVER : result;
    } catch (error) {
      if (this.#dead) return NEVER;
      throw error;
    }
  }

  #wrapTimers(timers: Timers): Timers {
    return {
      after: (delayMs, task) => {
        if (this.#dead) return { cancel() {} };
        const timer = timers.after(delayMs, () => {
          this.#timers.delete(entry);
          if (!this.#dead) task();
        });
        const entry: Timer = {
          cancel: () => {
            this.#timers.delete(entry);
            timer.cancel();
          },
        };
        this.#timers.add(entry);
        return entry;
      },
    };
  }

  /** Remembers how to close what was opened, until it is closed. */
  #track<T>(close: () => Promise<void>, wrap: (untrackedClose: () => Promise<void>) => T): T {
    if (this.#dead) void close();
    else this.#closers.add(close);
    return wrap(() =>
      this.#alive(async () => {
        this.#closers.delete(close);
        await close();
      }),
    );
  }

  #wrapFiles(files: Files): Files {
    return {
      open: (path, mode) => this.#alive(async () => this.#wrapHandle(await files.open(path, mode))),
      list: (directory) => this.#alive(() => files.list(directory)),
      stat: (path) => this.#alive(() => files.stat(path)),
      makeDirectory: (path) => this.#alive(() => files.makeDirectory(path)),
      rename: (from, to) => this.#alive(() => files.rename(from, to)),
      remove: (path) => this.#alive(() => files.remove(path)),
      removeDirectory: (path) => this.#alive(() => files.removeDirectory(path)),
      syncDirectory: (directory) => this.#alive(() => files.syncDirectory(directory)),
      lock: (path) => this.#alive(async () => this.#wrapLock(await files.lock(path))),
    };
  }

  #wrapHandle(handle: FileHandle): FileHandle {
    return this.#track(
      () => handle.close(),
      (close) => ({
        path: handle.path,
        write: (buffers, position) => this.#alive(() => handle.write(buffers, position)),
        read: (buffer, position) => this.#alive(() => handle.read(buffer, position)),
        truncate: (sizeBytes) => this.#alive(() => handle.truncate(sizeBytes)),
        sync: () => this.#alive(() => handle.sync()),
        sizeBytes: () => this.#alive(() => handle.sizeBytes()),
        close,
      }),
    );
  }

  #wrapLock(lock: FileLock): FileLock {
    return this.#track(
      () => lock.release(),
      (release) => ({ release }),
    );
  }

  #wrapStores(stores: KeyValueStores): KeyValueStores {
    return { open: (directory) => this.#alive(async () => this.#wrapStore(await stores.open(directory))) };
  }

  #wrapStore(store: KeyValueStore): KeyValueStore {
    return this.#track(
      () => store.close(),
      (close) => ({
        get: (key) => this.#alive(() => store.get(key)),
        batch: (operations, options) => this.#alive(() => store.batch(operations, options)),
        scan: (range) => this.#alive(() => store.scan(range)),
        close,
      }),
    );
  }
}

/**
 * The files of a directory of logs with a bound on how many are open at a time: whoever finds none left waits for
 * another to be closed. Thousands of logs begin a new leader epoch, or stop, in the same moment, and each has files to
 * save. Segments are not among them; they have a pool of their own.
 *
 * A sync of a directory that is asked for while one is under way is served by the next, together with all others: what
 * a thousand new logs in one directory cost.
 */
import type { FileHandle, FileLock, FileMode, FileStat, Files } from '../../env/index.ts';
import { Deque } from '../append/deque.ts';

export class BoundedFiles implements Files {
  readonly #files: Files;
  readonly #limit: number;
  readonly #waiting = new Deque<() => void>();
  readonly #directorySyncs = new Map<string, { running: Promise<void>; next?: Promise<void> }>();
  #open = 0;

  /** Nobody may keep a file open while waiting for another, but a few against `limit`. */
  constructor(files: Files, limit: number) {
    this.#files = files;
    this.#limit = limit;
  }

  async open(path: string, mode: FileMode): Promise<FileHandle> {
    await this.#enter();
    try {
      return new BoundedHandle(await this.#files.open(path, mode), () => this.#leave());
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  list(directory: string): Promise<string[]> {
    return this.#inside(() => this.#files.list(directory));
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#files.stat(path);
  }

  makeDirectory(path: string): Promise<void> {
    return this.#files.makeDirectory(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.#files.remove(path);
  }

  removeDirectory(path: string): Promise<void> {
    return this.#inside(() => this.#files.removeDirectory(path));
  }

  lock(path: string): Promise<FileLock> {
    return this.#files.lock(path);
  }

  syncDirectory(directory: string): Promise<void> {
    const sync = (): Promise<void> => this.#inside(() => this.#files.syncDirectory(directory));
    const known = this.#directorySyncs.get(directory);
    if (known !== undefined) {
      // The running one may have begun before the caller's change.
      known.next ??= known.running.catch(() => {}).then(() => this.#startSync(directory, sync));
      return known.next;
    }
    return this.#startSync(directory, sync);
  }

  #startSync(directory: string, sync: () => Promise<void>): Promise<void> {
    const entry: { running: Promise<void>; next?: Promise<void> } = { running: sync() };
    this.#directorySyncs.set(directory, entry);
    const done = (): void => {
      if (entry.next === undefined) this.#directorySyncs.delete(directory);
    };
    entry.running.then(done, done);
    return entry.running;
  }

  async #inside<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#open < this.#limit) {
      this.#open++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A place goes straight to the one who waits longest. */
  #leave(): void {
    if (this.#waiting.length === 0) {
      this.#open--;
      return;
    }
    const next = this.#waiting.at(0);
    this.#waiting.dropFront(1);
    next();
  }
}

class BoundedHandle implements FileHandle {
  readonly #handle: FileHandle;
  #leave: (() => void) | undefined;

  constructor(handle: FileHandle, leave: () => void) {
    this.#handle = handle;
    this.#leave = leave;
  }

  get path(): string {
    return this.#handle.path;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return this.#handle.write(buffers, position);
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#handle.read(buffer, position);
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  sizeBytes(): Promise<number> {
    return this.#handle.sizeBytes();
  }

  async close(): Promise<void> {
    const leave = this.#leave;
    this.#leave = undefined;
    try {
      await this.#handle.close();
    } finally {
      leave?.();
    }
  }
}

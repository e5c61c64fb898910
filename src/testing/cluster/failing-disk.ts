/**
 * A disk that can be broken and mended, over the real one: from one moment on everything below a path fails with
 * 'io-error', as EIO does, also through handles that are open. What was written stays and is there when it is mended.
 */
import { EnvironmentError } from '../../base/index.ts';
import type { FileHandle, Files } from '../../env/index.ts';

export class FailingDisk {
  readonly #broken = new Set<string>();

  /** From now on nothing below `directory` can be read, written or listed. */
  break(directory: string): void {
    this.#broken.add(directory);
  }

  mend(directory: string): void {
    this.#broken.delete(directory);
  }

  /** Files on this disk; may be wrapped anew for each start of the node. */
  files(files: Files): Files {
    return {
      open: async (path, mode) => this.#handle(await this.#try(path, () => files.open(path, mode))),
      list: (directory) => this.#try(directory, () => files.list(directory)),
      stat: (path) => this.#try(path, () => files.stat(path)),
      makeDirectory: (path) => this.#try(path, () => files.makeDirectory(path)),
      rename: (from, to) => this.#try(from, () => files.rename(from, to)),
      remove: (path) => this.#try(path, () => files.remove(path)),
      removeDirectory: (path) => this.#try(path, () => files.removeDirectory(path)),
      syncDirectory: (directory) => this.#try(directory, () => files.syncDirectory(directory)),
      lock: (path) => this.#try(path, () => files.lock(path)),
    };
  }

  #handle(handle: FileHandle): FileHandle {
    const { path } = handle;
    return {
      path,
      write: (buffers, position) => this.#try(path, () => handle.write(buffers, position)),
      read: (buffer, position) => this.#try(path, () => handle.read(buffer, position)),
      truncate: (sizeBytes) => this.#try(path, () => handle.truncate(sizeBytes)),
      sync: () => this.#try(path, () => handle.sync()),
      sizeBytes: () => this.#try(path, () => handle.sizeBytes()),
      close: () => handle.close(),
    };
  }

  async #try<T>(path: string, operation: () => Promise<T>): Promise<T> {
    for (const directory of this.#broken)
      if (path === directory || path.startsWith(`${directory}/`))
        throw new EnvironmentError('io-error', path, `cannot use ${path}: i/o error`);
    return operation();
  }
}

/**
 * A disk that can be broken and mended, over the real one: from one moment on everything below a path fails with
 * 'io-error', as EIO does, also through handles that are open. What was written stays and is there when it is mended.
 */
import { EnvironmentError } from '../../base/index.ts';
import type { Files, KeyValueStores } from '../../env/index.ts';
import { type Around, aroundFiles, aroundStores } from './around-disk.ts';

export class FailingDisk {
  readonly #broken = new Set<string>();

  /** From now on nothing below `directory` can be read, written or listed. */
  break(directory: string): void {
    this.#broken.add(directory);
  }

  mend(directory: string): void {
    this.#broken.delete(directory);
  }

  mendAll(): void {
    this.#broken.clear();
  }

  /** Files on this disk; may be wrapped anew for each start of the node. */
  files(files: Files): Files {
    return aroundFiles(files, this.#try);
  }

  /** Stores on this disk. */
  stores(stores: KeyValueStores): KeyValueStores {
    return aroundStores(stores, this.#try);
  }

  readonly #try: Around = async (path, operation) => {
    for (const directory of this.#broken)
      if (path === directory || path.startsWith(`${directory}/`))
        throw new EnvironmentError('io-error', path, `cannot use ${path}: i/o error`);
    return operation();
  };
}

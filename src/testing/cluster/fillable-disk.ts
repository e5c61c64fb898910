/**
 * The disk of one node that can be filled and freed, over the real one: what is on it outlives the node.
 *
 * Once filled it takes `leftBytes` more, then a write stores what still fits and fails with 'disk-full', as ENOSPC does.
 * Writing over what is there needs no room; removing gives none back, so that a test says itself when there is room.
 */
import { EnvironmentError } from '../../base/index.ts';
import type { FileHandle, Files, KeyValueOperation, KeyValueStore, KeyValueStores } from '../../env/index.ts';

export class FillableDisk {
  #leftBytes = Number.POSITIVE_INFINITY;

  /** From now on there is room for `leftBytes` more. */
  fill(leftBytes = 0): void {
    this.#leftBytes = leftBytes;
  }

  /** Room returns, without end. */
  free(): void {
    this.#leftBytes = Number.POSITIVE_INFINITY;
  }

  /** True when a write that grows a file would fail. */
  get isFull(): boolean {
    return this.#leftBytes === 0;
  }

  /** Files on this disk; may be wrapped anew for each start of the node. */
  files(files: Files): Files {
    return {
      open: async (path, mode) => this.#handle(await files.open(path, mode)),
      list: (directory) => files.list(directory),
      stat: (path) => files.stat(path),
      makeDirectory: (path) => files.makeDirectory(path),
      rename: (from, to) => files.rename(from, to),
      remove: (path) => files.remove(path),
      removeDirectory: (path) => files.removeDirectory(path),
      syncDirectory: (directory) => files.syncDirectory(directory),
      lock: (path) => files.lock(path),
    };
  }

  /** Stores on this disk. */
  stores(stores: KeyValueStores): KeyValueStores {
    return { open: async (directory) => this.#store(directory, await stores.open(directory)) };
  }

  /** How much of `bytes` more there is room for; it is used up by that. */
  #take(bytes: number): number {
    const taken = Math.min(bytes, this.#leftBytes);
    this.#leftBytes -= taken;
    return taken;
  }

  #handle(handle: FileHandle): FileHandle {
    return {
      path: handle.path,
      write: async (buffers, position) => {
        if (this.#leftBytes === Number.POSITIVE_INFINITY) return handle.write(buffers, position);
        const bytes = Buffer.concat(buffers);
        const grows = Math.max(0, position + bytes.length - (await handle.sizeBytes()));
        const missing = grows - this.#take(grows);
        await handle.write([bytes.subarray(0, bytes.length - missing)], position);
        if (missing > 0) throw fullError(handle.path, `cannot write to ${handle.path}: the disk is full`);
      },
      read: (buffer, position) => handle.read(buffer, position),
      truncate: (sizeBytes) => handle.truncate(sizeBytes),
      sync: () => handle.sync(),
      sizeBytes: () => handle.sizeBytes(),
      close: () => handle.close(),
    };
  }

  /** A batch is stored whole or not; after the first that failed the store is of no more use, as the port says. */
  #store(directory: string, store: KeyValueStore): KeyValueStore {
    let failure: EnvironmentError | undefined;
    return {
      get: (key) => store.get(key),
      scan: (range) => store.scan(range),
      close: () => store.close(),
      batch: async (operations, options) => {
        const bytes = operations.reduce((sum, operation) => sum + sizeOf(operation), 0);
        if (failure === undefined && this.#take(bytes) < bytes)
          failure = fullError(directory, `the key-value store in ${directory}: the disk is full`);
        if (failure !== undefined) throw failure;
        await store.batch(operations, options);
      },
    };
  }
}

function sizeOf(operation: KeyValueOperation): number {
  return operation.key.length + (operation.kind === 'put' ? operation.value.length : 0);
}

function fullError(subject: string, message: string): EnvironmentError {
  return new EnvironmentError('disk-full', subject, message);
}

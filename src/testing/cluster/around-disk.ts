/** Something around every operation of a disk: before it, after it, or in its place. */
import type { FileHandle, Files, KeyValueStore, KeyValueStores } from '../../env/index.ts';

/** Runs `operation` on what lies at `path`, or does not. */
export type Around = <T>(path: string, operation: () => Promise<T>) => Promise<T>;

/** `files` with `around` around each operation but the closing of handles. */
export function aroundFiles(files: Files, around: Around): Files {
  return {
    open: async (path, mode) => aroundHandle(await around(path, () => files.open(path, mode)), around),
    list: (directory) => around(directory, () => files.list(directory)),
    stat: (path) => around(path, () => files.stat(path)),
    makeDirectory: (path) => around(path, () => files.makeDirectory(path)),
    rename: (from, to) => around(from, () => files.rename(from, to)),
    remove: (path) => around(path, () => files.remove(path)),
    removeDirectory: (path) => around(path, () => files.removeDirectory(path)),
    syncDirectory: (directory) => around(directory, () => files.syncDirectory(directory)),
    lock: (path) => around(path, () => files.lock(path)),
  };
}

function aroundHandle(handle: FileHandle, around: Around): FileHandle {
  const { path } = handle;
  return {
    path,
    write: (buffers, position) => around(path, () => handle.write(buffers, position)),
    read: (buffer, position) => around(path, () => handle.read(buffer, position)),
    truncate: (sizeBytes) => around(path, () => handle.truncate(sizeBytes)),
    sync: () => around(path, () => handle.sync()),
    sizeBytes: () => around(path, () => handle.sizeBytes()),
    close: () => handle.close(),
  };
}

/** `stores` with `around` around each operation but the closing. */
export function aroundStores(stores: KeyValueStores, around: Around): KeyValueStores {
  return {
    open: async (directory) =>
      aroundStore(directory, await around(directory, () => stores.open(directory)), around),
  };
}

function aroundStore(directory: string, store: KeyValueStore, around: Around): KeyValueStore {
  return {
    get: (key) => around(directory, () => store.get(key)),
    batch: (operations, options) => around(directory, () => store.batch(operations, options)),
    scan: (range) => around(directory, () => store.scan(range)),
    close: () => store.close(),
  };
}

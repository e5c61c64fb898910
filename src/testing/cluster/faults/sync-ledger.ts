/**
 * What a power failure would take from the files of one node: every write since the last sync of its file, remembered by
 * what it overwrote. It outlives the node, as the page cache does.
 *
 * Left out, as if they were durable at once: names (files made, renamed or removed), and what LevelDB keeps, which Quorate
 * syncs with each batch.
 */
import type { FileHandle, Files } from '../../../env/index.ts';

/** How to undo one write or truncation. */
interface Undo {
  readonly position: number;
  /** What was there; the file ends after it when it was the end. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
}

interface Entry {
  /** Of the file as readers see it. */
  sizeBytes: number;
  /** Oldest first; none: all is synced. */
  undo: Undo[];
  /** Syncs under way. */
  syncs: number;
}

/** Of overwritten bytes per file. What is beyond counts as synced: a file that is overwritten so much is none of ours. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
const NOTHING = new Uint8Array();

export class SyncLedger {
  readonly #entries = new Map<string, Entry>();
  readonly #writing = new Set<Promise<unknown>>();

  /** Files whose syncs are written down; may be wrapped anew for each start of the node. */
  files(files: Files): Files {
    return {
      open: async (path, mode) => {
        const handle = await files.open(path, mode);
        return mode === 'read' ? handle : this.#handle(handle, await this.#entryOf(handle));
      },
      list: (directory) => files.list(directory),
      stat: (path) => files.stat(path),
      makeDirectory: (path) => files.makeDirectory(path),
      rename: async (from, to) => {
        await files.rename(from, to);
        this.#forget(to);
        for (const path of this.#pathsBelow(from)) this.#move(path, to + path.slice(from.length));
      },
      remove: async (path) => {
        await files.remove(path);
        this.#forget(path);
      },
      removeDirectory: async (path) => {
        await files.removeDirectory(path);
        this.#forget(path);
      },
      syncDirectory: (directory) => files.syncDirectory(directory),
      lock: (path) => files.lock(path),
    };
  }

  /** The power failed: what is not synced goes. Nobody has the files open. Gives how many bytes went. */
  async lose(files: Files): Promise<number> {
    await Promise.allSettled(this.#writing);
    let lostBytes = 0;
    for (const [path, { undo }] of this.#entries) {
      if (undo.length === 0) continue;
      const handle = await files.open(path, 'write');
      lostBytes += await goBack(handle, undo);
      await handle.close();
    }
    this.#entries.clear();
    return lostBytes;
  }

  async #entryOf(handle: FileHandle): Promise<Entry> {
    const sizeBytes = await handle.sizeBytes();
    const known = this.#entries.get(handle.path);
    if (known !== undefined) return known;
    const entry: Entry = { sizeBytes, undo: [], syncs: 0 };
    this.#entries.set(handle.path, entry);
    return entry;
  }

  #handle(handle: FileHandle, entry: Entry): FileHandle {
    return {
      path: handle.path,
      read: (buffer, position) => handle.read(buffer, position),
      sizeBytes: () => handle.sizeBytes(),
      close: () => handle.close(),
      write: (buffers, position) => {
        const end = position + buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
        const { sizeBytes } = entry;
        entry.sizeBytes = Math.max(sizeBytes, end);
        return this.#track(async () => {
          await remember(handle, entry, position, Math.min(end, sizeBytes), sizeBytes);
          await handle.write(buffers, position);
        });
      },
      truncate: (toBytes) => {
        const { sizeBytes } = entry;
        entry.sizeBytes = toBytes;
        return this.#track(async () => {
          await remember(handle, entry, Math.min(toBytes, sizeBytes), sizeBytes, sizeBytes);
          await handle.truncate(toBytes);
        });
      },
      sync: async () => {
        const count = entry.undo.length;
        entry.syncs++;
        try {
          await handle.sync();
          entry.undo.splice(0, count);
        } finally {
          entry.syncs--;
        }
      },
    };
  }

  async #track(write: () => Promise<void>): Promise<void> {
    const writing = write();
    this.#writing.add(writing);
    try {
      await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  #pathsBelow(path: string): string[] {
    return [...this.#entries.keys()].filter((other) => other === path || other.startsWith(`${path}/`));
  }

  #forget(path: string): void {
    for (const gone of this.#pathsBelow(path)) this.#entries.delete(gone);
  }

  #move(from: string, to: string): void {
    const entry = this.#entries.get(from);
    this.#entries.delete(from);
    if (entry !== undefined) this.#entries.set(to, entry);
  }
}

/** The bytes [from, to) and the size, as they were before what comes now. */
async function remember(
  handle: FileHandle,
  entry: Entry,
  from: number,
  to: number,
  sizeBytes: number,
): Promise<void> {
  const grows = to <= from;
  // A file that only grew since goes back to the first of its sizes.
  if (grows && entry.syncs === 0 && entry.undo.at(-1)?.bytes.length === 0) return;
  const bytes = grows ? NOTHING : new Uint8Array(to - from);
  const kept = entry.undo.reduce((sum, undo) => sum + undo.bytes.length, bytes.length);
  if (kept > KEPT_BYTES_MAX) entry.undo = [];
  else entry.undo.push({ position: from, bytes, sizeBytes });
  if (!grows) await handle.read(bytes, from);
}

async function goBack(handle: FileHandle, undo: readonly Undo[]): Promise<number> {
  const before = await handle.sizeBytes();
  for (const { position, bytes, sizeBytes } of undo.toReversed()) {
    if (bytes.length > 0) await handle.write([bytes], position);
    await handle.truncate(sizeBytes);
  }
  await handle.sync();
  return Math.max(0, before - (await handle.sizeBytes()));
}

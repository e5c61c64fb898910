import { assert, CorruptionError, NONE, type Offset, type WallMs } from '../../base/index.ts';
import { type FileHandle, type Files, readWholeFile } from '../../env/index.ts';
import { OffsetIndex } from './offset-index.ts';
import { SegmentIndex } from './segment-index.ts';
import { offsetName } from './segment-names.ts';
import { scanBatches } from './segment-scan.ts';
import { TimeIndex } from './time-index.ts';
import { isTrue } from './trusted-index.ts';

/**
 * A stretch of a log in one file. The last segment of a log is active: its file may be shorter than `sizeBytes`
 * while a write is under way, and its index is always here. The pool opens the file when it is used and closes
 * it some time after.
 */
export class Segment {
  readonly baseOffset: Offset;
  /** Without suffix. */
  readonly path: string;
  readonly #files: Files;
  /** Its file has been made. */
  exists = false;
  /** With appends that are not in the file yet. */
  sizeBytes = 0;
  /** In the file. */
  writtenBytes = 0;
  /** Largest timestamp of its first batch; undefined: not known since the log was opened, or empty. */
  firstTimestampMs: WallMs | undefined;
  /** When a look for old records met it first; undefined: not yet. */
  metMs: WallMs | undefined;
  /** The first of those looks at which it was as large as at the last. */
  grown: { readonly sizeBytes: number; readonly byMs: WallMs } | undefined;
  /** As last known while its index was here; see largestTimestampMs. */
  maxTimestampMs: WallMs = NONE;
  index: SegmentIndex | undefined;
  /** Its index is nowhere else: the segment is active, or not yet retired. */
  keepsIndex = false;
  /** The files of the index say what the index says. */
  indexIsSaved = false;
  handle: FileHandle | undefined;
  /** Writes that have ended, and how many of them a sync has covered. */
  #writes = 0;
  #syncedWrites = 0;
  /** The latest sync, and the writes that it covers. */
  #syncing: { readonly writes: number; readonly done: Promise<void> } | undefined;
  /** Of the first sync that failed: what is on disk is unknown since, also to a handle opened later. */
  #failure: { readonly error: unknown } | undefined;
  /** Producer states at the base offset, to be saved with the file. */
  snapshot: Uint8Array | undefined;
  /** Entries of the index below it are as the files say, and these may be wrong; all others come from batches. */
  indexTrustedFrom: Offset = 0;
  #loading: Promise<void> | undefined;
  #remaking: Promise<SegmentIndex> | undefined;
  /** The last change of the index files: one at a time, for a roll, a reader and a scrub may want it together. */
  #lastSave: Promise<void> = Promise.resolve();

  constructor(files: Files, directory: string, baseOffset: Offset) {
    this.#files = files;
    this.baseOffset = baseOffset;
    this.path = `${directory}/${offsetName(baseOffset)}`;
  }

  get logPath(): string {
    return `${this.path}.log`;
  }

  /** -1: empty. */
  get largestTimestampMs(): WallMs {
    return this.index?.maxTimestampMs ?? this.maxTimestampMs;
  }

  /** True while the system may hold bytes of it that are not on disk, and a sync may still bring them there. */
  get mustSync(): boolean {
    return this.#syncedWrites < this.#writes && this.#failure === undefined;
  }

  /** For the pool. Makes the file; a leftover of a crash, never counted, is emptied. */
  async create(files: Files): Promise<void> {
    this.handle = await files.open(this.logPath, 'create');
    await this.handle.truncate(0);
    this.exists = true;
    this.keepsIndex = true;
    this.index ??= new SegmentIndex(this.baseOffset);
  }

  /** For the pool. Opens file and indexes. Indexes that are missing or make no sense are made anew. */
  load(files: Files, intervalBytes: number): Promise<void> {
    this.#loading ??= this.#load(files, intervalBytes).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(files: Files, intervalBytes: number): Promise<void> {
    this.handle ??= await files.open(this.logPath, 'write');
    if (this.index !== undefined) return;
    const saved = await this.#readIndex(this.handle);
    this.indexTrustedFrom = saved === undefined ? 0 : Number.MAX_SAFE_INTEGER;
    this.index = saved ?? (await this.rebuildIndex(intervalBytes));
    this.indexIsSaved = saved !== undefined;
    this.maxTimestampMs = this.index.maxTimestampMs;
  }

  /** The index, whose files were wrong, anew from the batches of the open file. Throws CorruptionError. */
  remakeIndex(intervalBytes: number): Promise<SegmentIndex> {
    this.#remaking ??= this.#remakeIndex(intervalBytes).finally(() => {
      this.#remaking = undefined;
    });
    return this.#remaking;
  }

  async #remakeIndex(intervalBytes: number): Promise<SegmentIndex> {
    const from = this.indexTrustedFrom;
    const remade = await this.rebuildIndex(intervalBytes, from);
    // Nothing between here and the assignment: appends go on.
    if (this.index !== undefined) remade.goOnLike(this.index, from);
    this.index = remade;
    this.indexTrustedFrom = 0;
    await this.#alone(() => (this.keepsIndex ? this.#removeIndex() : this.#saveIndex()));
    return remade;
  }

  /** Appends to the open file. Index files describe a segment that does not grow: they go first. */
  async write(buffers: readonly Uint8Array[]): Promise<void> {
    const { handle } = this;
    assert(handle !== undefined, 'an open segment is written to');
    this.#assertSound();
    if (this.indexIsSaved) await this.removeIndex();
    try {
      await handle.write(buffers, this.writtenBytes);
    } finally {
      this.#writes++;
    }
  }

  /** Makes what was written before durable; the segment is open unless nothing was. */
  async sync(): Promise<void> {
    this.#assertSound();
    const writes = this.#writes;
    if (writes === this.#syncedWrites) return;
    // Its eviction and its writer may want the same.
    if (this.#syncing?.writes !== writes)
      this.#syncing = { writes, done: this.#sync(writes, this.#syncing?.done) };
    const { done } = this.#syncing;
    await done;
  }

  /** `earlier` covers some of the writes too, and a write that was lost may be told to it alone. */
  async #sync(writes: number, earlier: Promise<void> | undefined): Promise<void> {
    assert(this.handle !== undefined, 'a segment is not closed before it is synced');
    try {
      await Promise.all([this.handle.sync(), earlier]);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
    this.#syncedWrites = Math.max(this.#syncedWrites, writes);
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #readIndex(handle: FileHandle): Promise<SegmentIndex | undefined> {
    const offsetBytes = await readWholeFile(this.#files, `${this.path}.index`);
    const timeBytes = await readWholeFile(this.#files, `${this.path}.timeindex`);
    if (offsetBytes === undefined || timeBytes === undefined) return undefined;
    const offsets = OffsetIndex.decode(this.baseOffset, offsetBytes, this.writtenBytes);
    const times = TimeIndex.decode(this.baseOffset, timeBytes);
    if (offsets === undefined || times === undefined) return undefined;
    const index = new SegmentIndex(this.baseOffset, offsets, times);
    const newest = times.last;
    // By it retention judges the segment, and searches pass it over.
    const isSound =
      newest === undefined ? this.writtenBytes === 0 : await isTrue(newest, this, { handle, index });
    return isSound ? index : undefined;
  }

  /** Of the batches below `endOffset`, all of which must be good: throws CorruptionError. */
  async rebuildIndex(intervalBytes: number, endOffset = Number.MAX_SAFE_INTEGER): Promise<SegmentIndex> {
    const { handle } = this;
    assert(handle !== undefined, 'an index is made from an open file');
    const index = new SegmentIndex(this.baseOffset);
    const range = { start: 0, end: this.writtenBytes, minOffset: this.baseOffset, verify: true };
    const end = await scanBatches(handle, range, (header, position) => {
      if (header.baseOffset >= endOffset) return false;
      index.note(header, position, intervalBytes);
      return true;
    });
    if (end.problem !== undefined)
      throw new CorruptionError(this.logPath, end.position, 'a whole batch', end.problem);
    if (endOffset === Number.MAX_SAFE_INTEGER) index.seal();
    return index;
  }

  /** Saves the indexes, durably but for their directory entry. */
  saveIndex(): Promise<void> {
    return this.#alone(() => this.#saveIndex());
  }

  /** It grows no more: its index is saved, and may leave the memory. */
  retire(): Promise<void> {
    return this.#alone(async () => {
      await this.#saveIndex();
      this.keepsIndex = false;
    });
  }

  /** Of a closed segment with wrong index files: `index` was made of its batches. */
  replaceIndex(index: SegmentIndex): Promise<void> {
    return this.#alone(async () => {
      await this.#saveFiles(index);
      // One that is not loaded now is loaded from the new files.
      if (this.index === undefined) return;
      this.index = index;
      this.indexTrustedFrom = 0;
      this.indexIsSaved = true;
    });
  }

  #alone(task: () => Promise<void>): Promise<void> {
    const done = this.#lastSave.then(task);
    this.#lastSave = done.catch(() => {});
    return done;
  }

  async #saveIndex(): Promise<void> {
    const { index } = this;
    assert(index !== undefined, 'an index is saved while it is known');
    await this.#saveFiles(index);
    this.indexIsSaved = true;
  }

  async #saveFiles(index: SegmentIndex): Promise<void> {
    index.seal();
    this.maxTimestampMs = index.maxTimestampMs;
    await this.#save('index', index.offsets.encode());
    await this.#save('timeindex', index.times.encode(this.baseOffset));
  }

  async saveSnapshot(): Promise<void> {
    if (this.snapshot === undefined) return;
    await this.#save('snapshot', this.snapshot);
    this.snapshot = undefined;
  }

  /** Whole or not at all: half a time index looks like one, and would make the segment seem older than it is. */
  async #save(suffix: string, bytes: Uint8Array): Promise<void> {
    const path = `${this.path}.${suffix}`;
    try {
      await this.#saveBeside(`${path}.tmp`, bytes);
      await this.#files.rename(`${path}.tmp`, path);
    } catch (error) {
      // On a disk that is full it would take the room of something better.
      await this.#files.remove(`${path}.tmp`).catch(() => {});
      throw error;
    }
  }

  async #saveBeside(path: string, bytes: Uint8Array): Promise<void> {
    const handle = await this.#files.open(path, 'create');
    try {
      await handle.truncate(0);
      await handle.write([bytes], 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Index files describe a closed segment only: one that grows again loses them. */
  removeIndex(): Promise<void> {
    return this.#alone(() => this.#removeIndex());
  }

  async #removeIndex(): Promise<void> {
    this.indexIsSaved = false;
    await this.#files.remove(`${this.path}.index`);
    await this.#files.remove(`${this.path}.timeindex`);
  }

  async close(): Promise<void> {
    // What is being opened would stay open; an index made anew would come after one of other bytes.
    if (this.#loading !== undefined) await this.#loading.catch(() => {});
    if (this.#remaking !== undefined) await this.#remaking.catch(() => {});
    const { handle } = this;
    this.handle = undefined;
    if (!this.keepsIndex) this.index = undefined;
    await handle?.close();
  }

  /** Removes all files of it. */
  async remove(): Promise<void> {
    await this.close();
    await this.#files.remove(this.logPath);
    await this.removeIndex();
    await this.#files.remove(`${this.path}.snapshot`);
  }
}

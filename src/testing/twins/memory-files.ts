/**
 * The file system in memory, with the freedom of a real one to lose what was not synced, to tear, to fail and to rot.
 *
 * `kill` is the end of the process: handles die, locks fall, the cache stays. `crash` is the end of power: what was not
 * durable is lost in one of the ways MemoryFile and MemoryDirectoryTree tell. After either, operations of the dead
 * process never complete, begun before or after: the dead take no steps.
 */
import { assert, EnvironmentError, type EnvironmentReason, type Random } from '../../base/index.ts';
import {
  type FileHandle,
  type FileLock,
  type FileMode,
  type FileStat,
  type Files,
  parentDirectory,
} from '../../env/index.ts';
import { copyBytes } from './copy-bytes.ts';
import { type PlannedFault, PlannedFaults } from './faults.ts';
import { InFlight } from './in-flight.ts';
import { type Latency, operationDone } from './latency.ts';
import { MemoryDirectoryTree, normalize } from './memory-directory-tree.ts';
import { MemoryFile } from './memory-file.ts';

export type FileOperation =
  | 'open'
  | 'list'
  | 'stat'
  | 'make-directory'
  | 'rename'
  | 'remove'
  | 'sync-directory'
  | 'lock'
  | 'write'
  | 'read'
  | 'truncate'
  | 'sync'
  | 'size'
  | 'close';

/** What of a file is on the disk whatever happens. */
export type DurableFile = Pick<MemoryFile, 'durableBytes' | 'durableVersion'>;

export interface MemoryFilesOptions {
  readonly latency?: Latency;
  /** Bytes all files together may hold; a write beyond it writes what fits and fails with 'disk-full'. */
  readonly capacityBytes?: number;
}

export class MemoryFiles implements Files {
  readonly #disk: Disk;
  readonly #owner: number | undefined;

  constructor(options: MemoryFilesOptions = {}, owner?: { readonly disk: Disk; readonly process: number }) {
    this.#disk = owner?.disk ?? new Disk(options);
    this.#owner = owner?.process;
  }

  /** The same disk as the process sees it that starts now: after its end, calls on this view never complete. */
  forProcess(): MemoryFiles {
    return new MemoryFiles({}, { disk: this.#disk, process: this.#disk.process });
  }

  get capacityBytes(): number {
    return this.#disk.capacityBytes;
  }

  /** May be changed at any time: space can be freed. */
  set capacityBytes(capacityBytes: number) {
    this.#disk.capacityBytes = capacityBytes;
  }

  open(path: string, mode: FileMode): Promise<FileHandle> {
    return this.perform('open', path, () => {
      const handle = new MemoryFileHandle(this, path, this.#find(path, mode));
      this.#disk.handles.add(handle);
      return handle;
    });
  }

  list(directory: string): Promise<string[]> {
    return this.perform('list', directory, () => this.#disk.tree.list(directory));
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.perform('stat', path, () => {
      const node = this.#disk.tree.find(path);
      if (node === undefined) return undefined;
      if (node === 'directory') return { kind: 'directory', sizeBytes: 0 };
      return { kind: 'file', sizeBytes: node.sizeBytes };
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.perform('make-directory', path, () => this.#disk.tree.makeDirectory(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.perform('rename', from, () => this.#disk.tree.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.perform('remove', path, () => {
      if (this.#disk.tree.find(path) === 'directory')
        throw new EnvironmentError('permission', path, `cannot remove ${path}: it is a directory`);
      this.#disk.tree.remove(path);
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.perform('remove', path, () => this.#disk.tree.remove(path));
  }

  syncDirectory(directory: string): Promise<void> {
    return this.perform('sync-directory', directory, () => this.#disk.tree.syncDirectory(directory));
  }

  lock(path: string): Promise<FileLock> {
    const name = normalize(path);
    return this.perform('lock', path, () => {
      this.#disk.tree.list(parentDirectory(name));
      const { locks } = this.#disk;
      if (locks.has(name)) throw new EnvironmentError('locked', path, `${path} is locked by this process`);
      locks.add(name);
      return {
        release: async () => {
          locks.delete(name);
        },
      };
    });
  }

  /** Lets the next matching operation end with an error and without an effect. */
  failNext(fault: PlannedFault<FileOperation>): void {
    this.#disk.faults.failNext(fault);
  }

  /** Failures that were asked for and have not come do not come; with a path, only those that were asked for of it. */
  failNoMore(path?: string): void {
    this.#disk.faults.clear(path);
  }

  /** The process dies; the machine lives on. What was under way happens still as `random` draws, else never. */
  kill(random?: Random): void {
    this.#disk.inFlight.abandon(random);
    this.#disk.process++;
    this.#disk.locks = new Set();
    this.#disk.handles = new Set();
  }

  /** The power fails: the process dies and what was not durable is lost, torn, or kept, as `random` draws. */
  crash(random: Random): void {
    this.kill(random);
    const files = new Set(this.#disk.tree.files());
    this.#disk.tree.crash(random);
    for (const file of this.#disk.tree.files()) files.add(file);
    for (const file of files) file.crash(random);
  }

  /** The disk rots: one bit of a stored file turns. */
  flipBit(path: string, bit: number): void {
    this.damage(path, (bytes) => {
      const changed = copyBytes(bytes);
      const index = bit >> 3;
      assert(index < changed.byteLength, 'the bit lies in the file', { bit, sizeBytes: changed.byteLength });
      changed[index] = (changed[index] ?? 0) ^ (1 << (bit & 7));
      return changed;
    });
  }

  /** The disk rots, or is itself again: one durable byte that is `from`, of a file of this normalized name, is `to`. */
  changeByte(path: string, index: number, from: number, to: number): void {
    const node = this.#disk.tree.findDurable(path);
    assert(node !== undefined && node !== 'directory', 'there is a file to change', { path });
    node.changeByte(index, from, to);
  }

  /** Replaces the stored bytes of a file, durably, behind everybody's back. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    const node = this.#disk.tree.find(path);
    assert(node !== undefined && node !== 'directory', 'there is a file to damage', { path });
    node.damage(change);
  }

  /** A copy of the stored bytes of a file, as a reader sees them now. */
  contents(path: string): Uint8Array {
    const node = this.#disk.tree.find(path);
    assert(node !== undefined && node !== 'directory', 'there is a file to look at', { path });
    return node.contents();
  }

  /** The file of this normalized name as a power failure would leave it for certain; undefined: there is none then. */
  findDurable(path: string): DurableFile | undefined {
    const node = this.#disk.tree.findDurable(path);
    return node === 'directory' ? undefined : node;
  }

  /** Normalized paths below `directory` that a power failure would leave for certain, in no order. */
  durablePaths(directory: string): string[] {
    return this.#disk.tree.durablePaths(directory);
  }

  /** Paths of files that are open now, sorted; twice what is open twice. */
  openPaths(): string[] {
    return [...this.#disk.handles].map(({ path }) => path).sort();
  }

  /** For handles. */
  noteClosed(handle: FileHandle): void {
    this.#disk.handles.delete(handle);
  }

  /** Of all files together. */
  get usedBytes(): number {
    let used = 0;
    for (const file of this.#disk.tree.files()) used += file.sizeBytes;
    return used;
  }

  /** An empty disk takes its place. */
  wipe(): void {
    this.#disk.tree.wipe();
  }

  /** Every path that is seen now, directories included, sorted. */
  paths(): string[] {
    return this.#disk.tree.paths();
  }

  /** One operation: fails as planned, takes its time, then happens whole; never, when the process died meanwhile. */
  perform<T>(operation: FileOperation, path: string, effect: () => T): Promise<T> {
    const owner = this.processNumber;
    if (owner !== this.#disk.process) return new Promise(() => {});
    const error = this.#disk.faults.draw(operation, path);
    if (error === undefined) this.#disk.inFlight.begin(effect);
    return operationDone(this.#disk.latency, operation).then(() => {
      if (owner !== this.#disk.process) return new Promise<never>(() => {});
      this.#disk.inFlight.end(effect);
      if (error !== undefined) throw error;
      return effect();
    });
  }

  /** For handles: which process they belong to. */
  get processNumber(): number {
    return this.#owner ?? this.#disk.process;
  }

  /** False once the process that opened a handle is dead. */
  isAlive(process: number): boolean {
    return process === this.#disk.process;
  }

  /** For handles: the size `file` may grow to now. */
  sizeBytesMax(file: MemoryFile): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes;
    return file.sizeBytes + Math.max(0, this.capacityBytes - this.usedBytes);
  }

  #find(path: string, mode: FileMode): MemoryFile {
    const found = this.#disk.tree.find(path);
    const fail = (reason: EnvironmentReason, why: string): never => {
      throw new EnvironmentError(reason, path, `cannot open ${path}: ${why}`);
    };
    if (found === 'directory') return fail('permission', 'it is a directory');
    if (found !== undefined) return mode === 'create-new' ? fail('already-exists', 'it exists') : found;
    if (mode === 'read' || mode === 'write') return fail('not-found', 'there is no such file');
    const file = new MemoryFile();
    this.#disk.tree.add(path, file);
    return file;
  }
}

/** What outlives a process. */
class Disk {
  readonly latency: Latency | undefined;
  readonly tree = new MemoryDirectoryTree();
  readonly faults = new PlannedFaults<FileOperation>();
  readonly inFlight = new InFlight();
  capacityBytes: number;
  locks = new Set<string>();
  handles = new Set<FileHandle>();
  process = 0;

  constructor(options: MemoryFilesOptions) {
    this.latency = options.latency;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }
}

class MemoryFileHandle implements FileHandle {
  readonly path: string;
  readonly #files: MemoryFiles;
  readonly #file: MemoryFile;
  readonly #owner: number;
  #closed = false;
  #failure: EnvironmentError | undefined;

  constructor(files: MemoryFiles, path: string, file: MemoryFile) {
    this.path = path;
    this.#files = files;
    this.#file = file;
    this.#owner = files.processNumber;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const bytes = Buffer.concat(buffers);
    return this.#perform('write', () => {
      const fits = Math.min(bytes.byteLength, this.#files.sizeBytesMax(this.#file) - position);
      this.#file.write(position, bytes.subarray(0, Math.max(0, fits)));
      if (fits < bytes.byteLength)
        throw new EnvironmentError('disk-full', this.path, `cannot write to ${this.path}: the disk is full`);
    });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#perform('read', () => this.#file.read(buffer, position));
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#perform('truncate', () => this.#file.truncate(sizeBytes));
  }

  async sync(): Promise<void> {
    const covered = this.#file.changesSoFar();
    try {
      await this.#perform('sync', () => this.#file.completeSync(covered));
    } catch (error) {
      if (error instanceof EnvironmentError && error.reason !== 'closed') {
        this.#file.failSync(covered);
        this.#failure = error;
      }
      throw error;
    }
  }

  sizeBytes(): Promise<number> {
    return this.#perform('size', () => this.#file.sizeBytes);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#files.noteClosed(this);
  }

  #perform<T>(operation: FileOperation, effect: () => T): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#files.isAlive(this.#owner)) return new Promise(() => {});
    if (this.#closed)
      return Promise.reject(
        new EnvironmentError('closed', this.path, `cannot ${operation} ${this.path}: the file is closed`),
      );
    return this.#files.perform(operation, this.path, effect);
  }
}

/**
 * A key-value store in memory that keeps LevelDB's habits, the bad ones included.
 *
 * Measured with classic-level 3: a batch without sync is only in the page cache; at a power failure a prefix of such
 * batches is left. A batch whose sync failed is not readable, every later batch fails, and after reopening it may be
 * there. Damage to the write-ahead log is never reported: one flipped bit removes batches from the middle and keeps later
 * ones (`loseMiddle`), a cut log loses synced batches (`loseTail`), a deleted one opens as if new (`loseLog`).
 */
import { assert, EnvironmentError, type Random } from '../../base/index.ts';
import type {
  KeyRange,
  KeyValueEntry,
  KeyValueOperation,
  KeyValueStore,
  KeyValueStores,
} from '../../env/index.ts';
import { copyBytes } from './copy-bytes.ts';
import { type PlannedFault, PlannedFaults } from './faults.ts';
import { InFlight } from './in-flight.ts';
import { type Latency, operationDone } from './latency.ts';
import { normalize } from './memory-directory-tree.ts';
import type { MemoryFiles } from './memory-files.ts';
import { StoreDisk } from './store-disk.ts';

export type StoreOperation = 'open' | 'get' | 'scan' | 'batch' | 'close';

export interface MemoryStoresOptions {
  /** The disk the stores lie on: a store whose directory was removed there is gone. Absent: they outlive everything. */
  readonly files?: MemoryFiles;
  readonly latency?: Latency;
}

export class MemoryStores implements KeyValueStores {
  readonly #files: MemoryFiles | undefined;
  readonly #shared: Shared;
  readonly #owner: number | undefined;

  constructor(
    options: MemoryStoresOptions = {},
    owner?: { readonly shared: Shared; readonly process: number },
  ) {
    this.#files = options.files;
    this.#shared = owner?.shared ?? new Shared(options.latency);
    this.#owner = owner?.process;
  }

  /** The same stores as the process sees them that starts now, on its view of the disk. */
  forProcess(files: MemoryFiles): MemoryStores {
    return new MemoryStores({ files }, { shared: this.#shared, process: this.#shared.process });
  }

  async open(directory: string): Promise<KeyValueStore> {
    const name = normalize(directory);
    const isNew = await this.#prepare(directory);
    return this.perform('open', directory, () => {
      let disk = this.#shared.disks.get(name);
      if (disk?.isOpen) {
        throw new EnvironmentError(
          'locked',
          directory,
          `the key-value store in ${directory} is open in another process`,
        );
      }
      if (disk === undefined || isNew) {
        disk = new StoreDisk();
        this.#shared.disks.set(name, disk);
      }
      disk.open();
      return new MemoryStore(this, directory, disk);
    });
  }

  failNext(fault: PlannedFault<StoreOperation>): void {
    this.#shared.faults.failNext(fault);
  }

  /** Failures that were asked for and have not come do not come. */
  failNoMore(): void {
    this.#shared.faults.clear();
  }

  /** The process dies; what was written stays in the cache. What was under way happens as `random` draws, else never. */
  kill(random?: Random): void {
    this.#shared.inFlight.abandon(random);
    this.#shared.process++;
    for (const disk of this.#shared.disks.values()) disk.isOpen = false;
  }

  /** The power fails: of the batches that were not synced, a prefix is left. */
  crash(random: Random): void {
    this.kill(random);
    for (const disk of this.#shared.disks.values()) disk.crash(random);
  }

  /** One bit of the log flipped: batches `[from, to)` of it are silently gone, later ones stay. */
  loseMiddle(directory: string, from: number, to: number): void {
    this.#closedDisk(directory).loseBatches(from, to);
  }

  /** The log was cut: its last `count` batches are silently gone, synced or not. */
  loseTail(directory: string, count: number): void {
    const disk = this.#closedDisk(directory);
    disk.loseBatches(disk.batchCount - count, disk.batchCount);
  }

  /** The log was deleted: opens cleanly, without anything that was in it. */
  loseLog(directory: string): void {
    const disk = this.#closedDisk(directory);
    disk.loseBatches(0, disk.batchCount);
  }

  /** Overwrites or deletes keys behind the owner's back. */
  damage(directory: string, operations: readonly KeyValueOperation[]): void {
    this.#closedDisk(directory).damage(operations);
  }

  /** Batches in the log of the store in `directory`: the range the `lose…` methods count in. */
  batchCount(directory: string): number {
    return this.#shared.disks.get(normalize(directory))?.batchCount ?? 0;
  }

  /** What `key` is in the store in `directory` after a power failure for certain; undefined: nothing. */
  findDurable(directory: string, key: Uint8Array): Uint8Array | undefined {
    return this.#shared.disks.get(directory)?.durable.get(key);
  }

  perform<T>(operation: StoreOperation, directory: string, effect: () => T, took?: string): Promise<T> {
    const owner = this.processNumber;
    if (owner !== this.#shared.process) return new Promise(() => {});
    const error = this.#shared.faults.draw(operation, directory);
    if (error === undefined) this.#shared.inFlight.begin(effect);
    return operationDone(this.#shared.latency, took ?? operation).then(() => {
      if (owner !== this.#shared.process) return new Promise<never>(() => {});
      this.#shared.inFlight.end(effect);
      if (error !== undefined) throw error;
      return effect();
    });
  }

  get processNumber(): number {
    return this.#owner ?? this.#shared.process;
  }

  /** False once the process that opened a store is dead. */
  isAlive(process: number): boolean {
    return process === this.#shared.process;
  }

  /** True when the disk knows of no store there. */
  async #prepare(directory: string): Promise<boolean> {
    if (this.#files === undefined) return false;
    await this.#files.makeDirectory(directory);
    const marker = `${directory}/CURRENT`;
    if ((await this.#files.stat(marker)) !== undefined) return false;
    const file = await this.#files.open(marker, 'create');
    await file.sync();
    await file.close();
    await this.#files.syncDirectory(directory);
    return true;
  }

  #closedDisk(directory: string): StoreDisk {
    const disk = this.#shared.disks.get(normalize(directory));
    assert(disk !== undefined, 'there is a store to damage', { directory });
    assert(!disk.isOpen, 'only a closed store is damaged', { directory });
    return disk;
  }
}

/** What outlives a process. */
class Shared {
  readonly latency: Latency | undefined;
  readonly disks = new Map<string, StoreDisk>();
  readonly faults = new PlannedFaults<StoreOperation>();
  readonly inFlight = new InFlight();
  process = 0;

  constructor(latency: Latency | undefined) {
    this.latency = latency;
  }
}

class MemoryStore implements KeyValueStore {
  readonly #stores: MemoryStores;
  readonly #directory: string;
  readonly #disk: StoreDisk;
  readonly #owner: number;
  #closed = false;
  #failure: EnvironmentError | undefined;

  constructor(stores: MemoryStores, directory: string, disk: StoreDisk) {
    this.#stores = stores;
    this.#directory = directory;
    this.#disk = disk;
    this.#owner = stores.processNumber;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#perform('get', () => this.#disk.state.get(key));
  }

  async batch(operations: readonly KeyValueOperation[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const copies = operations.map(copyOperation);
    try {
      const took = options.sync ? 'sync' : 'batch';
      await this.#perform('batch', () => this.#append(copies, options.sync), took);
    } catch (error) {
      if (error instanceof EnvironmentError && error.reason !== 'closed' && this.#failure === undefined) {
        this.#failure = error;
        this.#disk.appendUnsynced(copies);
      }
      throw error;
    }
  }

  scan(range: KeyRange): Promise<KeyValueEntry[]> {
    return this.#perform('scan', () => this.#disk.state.scan(range));
  }

  async close(): Promise<void> {
    if (this.#closed || !this.#stores.isAlive(this.#owner)) return;
    this.#closed = true;
    await this.#stores.perform('close', this.#directory, () => {
      this.#disk.isOpen = false;
    });
  }

  /** A batch that was under way when an earlier one failed fails with it. */
  #append(operations: readonly KeyValueOperation[], sync: boolean): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#disk.append(operations, sync);
  }

  #perform<T>(operation: StoreOperation, effect: () => T, took?: string): Promise<T> {
    if (!this.#stores.isAlive(this.#owner)) return new Promise(() => {});
    if (!this.#closed) return this.#stores.perform(operation, this.#directory, effect, took);
    const message = `the store in ${this.#directory} is closed`;
    return Promise.reject(new EnvironmentError('closed', this.#directory, message));
  }
}

function copyOperation(operation: KeyValueOperation): KeyValueOperation {
  const key = copyBytes(operation.key);
  return operation.kind === 'put'
    ? { kind: 'put', key, value: copyBytes(operation.value) }
    : { kind: 'delete', key };
}

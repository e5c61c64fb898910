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
import { SortedBytes } from './sorted-bytes.ts';

export type StoreOperation = 'open' | 'get' | 'scan' | 'batch' | 'close';

export interface MemoryStoresOptions {
  /** The disk the stores lie on: a store whose directory was removed there is gone. Absent: they outlive everything. */
  readonly files?: MemoryFiles;
  readonly latency?: Latency;
}

/** Batches the log holds before LevelDB would have moved the oldest, durable ones into a table, out of harm's way. */
const LOG_BATCHES_MAX = 100_000;

export class MemoryStores implements KeyValueStores {
  readonly #files: MemoryFiles | undefined;
  readonly #latency: Latency | undefined;
  readonly #disks = new Map<string, StoreDisk>();
  readonly #faults = new PlannedFaults<StoreOperation>();
  readonly #inFlight = new InFlight();
  #process = 0;

  constructor(options: MemoryStoresOptions = {}) {
    this.#files = options.files;
    this.#latency = options.latency;
  }

  async open(directory: string): Promise<KeyValueStore> {
    const name = normalize(directory);
    const isNew = await this.#prepare(directory);
    return this.perform('open', directory, () => {
      let disk = this.#disks.get(name);
      if (disk?.isOpen) {
        throw new EnvironmentError(
          'locked',
          directory,
          `the key-value store in ${directory} is open in another process`,
        );
      }
      if (disk === undefined || isNew) {
        disk = new StoreDisk();
        this.#disks.set(name, disk);
      }
      disk.open();
      return new MemoryStore(this, directory, disk);
    });
  }

  failNext(fault: PlannedFault<StoreOperation>): void {
    this.#faults.failNext(fault);
  }

  /** The process dies; what was written stays in the cache. What was under way happens as `random` draws, else never. */
  kill(random?: Random): void {
    this.#inFlight.abandon(random);
    this.#process++;
    for (const disk of this.#disks.values()) disk.isOpen = false;
  }

  /** The power fails: of the batches that were not synced, a prefix is left. */
  crash(random: Random): void {
    this.kill(random);
    for (const disk of this.#disks.values()) disk.crash(random);
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
    return this.#disks.get(normalize(directory))?.batchCount ?? 0;
  }

  perform<T>(operation: StoreOperation, directory: string, effect: () => T, took?: string): Promise<T> {
    const owner = this.#process;
    const error = this.#faults.draw(operation, directory);
    if (error === undefined) this.#inFlight.begin(effect);
    return operationDone(this.#latency, took ?? operation).then(() => {
      if (owner !== this.#process) return new Promise<never>(() => {});
      this.#inFlight.end(effect);
      if (error !== undefined) throw error;
      return effect();
    });
  }

  get processNumber(): number {
    return this.#process;
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
    const disk = this.#disks.get(normalize(directory));
    assert(disk !== undefined, 'there is a store to damage', { directory });
    assert(!disk.isOpen, 'only a closed store is damaged', { directory });
    return disk;
  }
}

interface LogBatch {
  readonly operations: readonly KeyValueOperation[];
  durable: boolean;
}

/** What one store has on disk: a table, and the log of batches since. */
class StoreDisk {
  isOpen = false;
  /** What readers see. */
  state = new SortedBytes();
  #table = new SortedBytes();
  #log: LogBatch[] = [];

  get batchCount(): number {
    return this.#log.length;
  }

  open(): void {
    this.isOpen = true;
    this.#rebuild();
  }

  append(operations: readonly KeyValueOperation[], sync: boolean): void {
    this.state.apply(operations);
    this.#log.push({ operations, durable: false });
    if (!sync) return;
    for (let i = this.#log.length - 1; i >= 0; i--) {
      const batch = this.#log[i] as LogBatch;
      if (batch.durable) break;
      batch.durable = true;
    }
    if (this.#log.length >= LOG_BATCHES_MAX) this.#moveToTable();
  }

  /** The batch reached the log, its sync failed. */
  appendUnsynced(operations: readonly KeyValueOperation[]): void {
    this.#log.push({ operations, durable: false });
  }

  crash(random: Random): void {
    const durable = this.#log.findLastIndex((batch) => batch.durable) + 1;
    this.#log.length = random.integer(durable, this.#log.length + 1);
    for (const batch of this.#log) batch.durable = true;
  }

  loseBatches(from: number, to: number): void {
    this.#log.splice(from, to - from);
    this.#rebuild();
  }

  damage(operations: readonly KeyValueOperation[]): void {
    this.#log.push({ operations, durable: true });
    this.#rebuild();
  }

  #rebuild(): void {
    this.state = this.#table.clone();
    for (const batch of this.#log) this.state.apply(batch.operations);
  }

  #moveToTable(): void {
    for (const batch of this.#log) this.#table.apply(batch.operations);
    this.#log = [];
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
    if (this.#closed || this.#owner !== this.#stores.processNumber) return;
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
    if (this.#owner !== this.#stores.processNumber) return new Promise(() => {});
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

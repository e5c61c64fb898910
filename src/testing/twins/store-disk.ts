import type { Random } from '../../base/index.ts';
import type { KeyValueOperation } from '../../env/index.ts';
import { SortedBytes } from './sorted-bytes.ts';

/** Batches the log holds before LevelDB would have moved the oldest, durable ones into a table, out of harm's way. */
const LOG_BATCHES_MAX = 100_000;

interface LogBatch {
  readonly operations: readonly KeyValueOperation[];
  durable: boolean;
}

/** What one store has on disk: a table, and the log of batches since. */
export class StoreDisk {
  isOpen = false;
  /** What readers see. */
  state = new SortedBytes();
  #table = new SortedBytes();
  #log: LogBatch[] = [];
  /** The log has other batches than readers see. */
  #isStale = false;

  get batchCount(): number {
    return this.#log.length;
  }

  /** What a power failure would leave for certain. */
  get durable(): SortedBytes {
    if (this.#log.at(-1)?.durable !== false) return this.state;
    const kept = this.#table.clone();
    for (const { operations, durable } of this.#log) if (durable) kept.apply(operations);
    return kept;
  }

  /** LevelDB moves what it finds in its log into a table, and syncs that, before anybody reads. */
  open(): void {
    this.isOpen = true;
    for (const batch of this.#log) batch.durable = true;
    if (this.#isStale) this.#rebuild();
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
    this.#isStale = true;
  }

  crash(random: Random): void {
    const durable = this.#log.findLastIndex((batch) => batch.durable) + 1;
    const kept = random.integer(durable, this.#log.length + 1);
    if (kept < this.#log.length) this.#isStale = true;
    this.#log.length = kept;
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
    this.#isStale = false;
    this.state = this.#table.clone();
    for (const batch of this.#log) this.state.apply(batch.operations);
  }

  #moveToTable(): void {
    for (const batch of this.#log) this.#table.apply(batch.operations);
    this.#log = [];
  }
}

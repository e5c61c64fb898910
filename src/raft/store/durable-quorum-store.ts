/**
 * The quorum's store over a key-value store (the log) and a hard-state file.
 *
 * Order of durability:
 *   append    one synced batch = deletions + entries + tail marker. Calls that wait share the next batch.
 *   truncate  first the floor goes down (hard state, synced), then the batch: a crash between leaves a longer log.
 *   epoch     is durable before an entry of it: an append waits for the hard state that was asked for before it.
 *   floor     goes up only after the entries below it are durable, in the background, so that no append waits for it.
 *
 * The floor is raised whenever the store has nothing else to append, and when it lags by FLOOR_LAG_MAX entries. What
 * remains: entries that became durable since the last raise began (some hundred microseconds' worth on an idle store,
 * at most about FLOOR_LAG_MAX entries on a busy one) could vanish by *damage* to the tail of LevelDB's log without this
 * node noticing. A crash cannot do that: they were synced. Other voters hold them, and a leader that saw this node's
 * higher end offset knows (see docs/decisions).
 *
 * Batches are always synced, whatever the caller permits: LevelDB starts a new log file when its buffer is full and does
 * not sync the old one, so an unsynced batch followed by a synced one could lose the first and keep the second.
 */
import { assert, CorruptionError, EnvironmentError, type Offset } from '../../base/index.ts';
import type { KeyValueOperation, KeyValueStore } from '../../env/index.ts';
import { ENTRIES_AT_ONCE_MAX } from '../core/limits.ts';
import type { Entry } from '../core/messages.ts';
import {
  BASE_KEY,
  type ChainHash,
  decodeBase,
  decodeEntry,
  encodeEntry,
  encodeTail,
  entryKey,
  hashOfEntry,
  offsetOfKey,
  TAIL_KEY,
} from './entry-codec.ts';
import type { HardStateFile } from './hard-state-file.ts';
import type {
  AppendOptions,
  ElectionState,
  EpochStart,
  HardState,
  LogBounds,
  QuorumIdentity,
  QuorumStore,
} from './quorum-store.ts';
import type { RecentEntries } from './recent-entries.ts';
import type { SoundLog } from './verify-log.ts';

const FLOOR_LAG_MAX = 256;
/** Appends that wait share one batch up to this many payload bytes. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** Appends that may wait; the driver's own limits are far below. */
const WAITING_MAX = 65_536;
/** Entries asked of the key-value store at once. */
const READ_ENTRIES = 64;

interface Append {
  readonly entries: readonly Entry[];
  readonly truncateFrom: Offset | undefined;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Parts {
  readonly directory: string;
  readonly store: KeyValueStore;
  readonly hardState: HardStateFile;
  readonly log: SoundLog;
}

export class DurableQuorumStore implements QuorumStore {
  readonly #directory: string;
  readonly #store: KeyValueStore;
  readonly #hardState: HardStateFile;
  readonly #recent: RecentEntries;
  #log: LogBounds;
  #epochs: EpochStart[];
  #lastHash: ChainHash;
  /** Where the log ends once all appends that wait are done. */
  #wantedEnd: Offset;
  #waiting: Append[] = [];
  #worker: Promise<void> | undefined;
  /** While a truncation is being made durable: the floor may not rise above it, and reads above it wait. */
  #truncatingTo = Number.POSITIVE_INFINITY;
  #truncation: Promise<void> | undefined;
  /** Reads under way, for which a truncation waits: what they read stays until they have it. */
  readonly #reads = new Set<Promise<unknown>>();
  #failure: unknown;
  #closed = false;

  constructor(parts: Parts) {
    this.#directory = parts.directory;
    this.#store = parts.store;
    this.#hardState = parts.hardState;
    this.#log = parts.log.bounds;
    this.#epochs = [...parts.log.epochs];
    this.#lastHash = parts.log.lastHash;
    this.#recent = parts.log.recent;
    this.#wantedEnd = this.#log.endOffset;
  }

  get identity(): QuorumIdentity {
    return this.#hardState.identity;
  }

  get hardState(): HardState {
    return this.#hardState.state;
  }

  get log(): LogBounds {
    return this.#log;
  }

  get epochs(): readonly EpochStart[] {
    return this.#epochs;
  }

  append(entries: readonly Entry[], options: AppendOptions): Promise<void> {
    if (!this.#isUsable()) return Promise.reject(this.#refusal());
    const { truncateFrom } = options;
    let next = truncateFrom ?? this.#wantedEnd;
    assert(next <= this.#wantedEnd && next >= this.#log.startOffset, 'a truncation stays in the log', {
      truncateFrom,
      startOffset: this.#log.startOffset,
      endOffset: this.#wantedEnd,
    });
    const { epoch } = this.#hardState.wanted;
    let bytes = 0;
    for (const entry of entries) {
      assert(entry.offset === next, 'entries continue the log', { offset: entry.offset, expected: next });
      assert(entry.epoch <= epoch, 'the epoch of an entry was saved before it', {
        entry: entry.epoch,
        epoch,
      });
      bytes += entry.payload.byteLength;
      next++;
    }
    assert(this.#waiting.length < WAITING_MAX, 'appends do not pile up', { waiting: this.#waiting.length });
    this.#wantedEnd = next;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entries, truncateFrom, bytes, resolve, reject });
      this.#worker ??= this.#work();
    });
  }

  async read(from: Offset, to: Offset, maxBytes: number): Promise<Entry[]> {
    const { startOffset, endOffset } = this.#log;
    assert(from >= startOffset && from <= to && to <= endOffset, 'a read stays in the durable log', {
      from,
      to,
      startOffset,
      endOffset,
    });
    if (!this.#isUsable()) throw this.#refusal();
    const recent = this.#recent.read(from, to, maxBytes);
    if (recent !== undefined) return recent;
    while (this.#truncatingTo < to && this.#isUsable()) await this.#truncation;
    if (!this.#isUsable()) throw this.#refusal();
    const reading = this.#readStored(from, Math.min(to, this.#log.endOffset), maxBytes);
    this.#reads.add(reading);
    return reading.finally(() => this.#reads.delete(reading));
  }

  async saveHardState(state: ElectionState): Promise<void> {
    if (!this.#isUsable()) throw this.#refusal();
    const before = this.#hardState.wanted;
    assert(state.epoch >= before.epoch, 'the epoch never falls', { from: before.epoch, to: state.epoch });
    if (state.epoch === before.epoch && before.votedFor !== undefined)
      assert(
        state.votedFor?.id === before.votedFor.id &&
          state.votedFor.directoryId === before.votedFor.directoryId,
        'a vote is neither changed nor forgotten in its epoch',
        { epoch: state.epoch, from: before.votedFor, to: state.votedFor },
      );
    const { epoch, leaderId, votedFor, voters, clusterId } = state;
    const vote = votedFor === undefined ? {} : { votedFor };
    const cluster = clusterId === undefined ? {} : { clusterId };
    await this.#saving(
      this.#hardState.replace({ epoch, leaderId, ...vote, voters, ...cluster, tailFloor: this.#safeFloor() }),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#worker;
    try {
      if (this.#failure === undefined) await this.#hardState.save({ tailFloor: this.#safeFloor() });
    } finally {
      await this.#store.close();
      await this.#hardState.close();
    }
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const written = this.#write(group);
        this.#truncation = written.catch(() => {});
        await written;
        for (const append of group) append.resolve();
      } catch (error) {
        this.#fail(error);
        for (const append of [...group, ...this.#waiting.splice(0)]) append.reject(this.#failure);
      }
      this.#maybeRaiseFloor();
    }
    this.#worker = undefined;
  }

  /** The next append; with all that follow it, unless one truncates, for then the chain forks. */
  #takeGroup(): Append[] {
    let count = 1;
    let bytes = this.#waiting[0]?.bytes ?? 0;
    for (const append of this.#waiting.slice(1)) {
      bytes += append.bytes;
      if (append.truncateFrom !== undefined || bytes > BATCH_BYTES_MAX) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Append[]): Promise<void> {
    const operations: KeyValueOperation[] = [];
    const from = group[0]?.truncateFrom ?? this.#log.endOffset;
    let hash = this.#lastHash;
    if (from < this.#log.endOffset) {
      this.#truncatingTo = from;
      await Promise.allSettled(this.#reads);
      hash = await this.#hashBefore(from);
      if (this.#hardState.wanted.tailFloor > from) await this.#hardState.save({ tailFloor: from });
      for (let offset = from; offset < this.#log.endOffset; offset++)
        operations.push({ kind: 'delete', key: entryKey(offset) });
    }
    const entries = group.flatMap((append) => append.entries);
    if ((entries.at(-1)?.epoch ?? 0) > this.#hardState.state.epoch) await this.#hardState.settled();
    for (const entry of entries) {
      const value = encodeEntry(entry, hash);
      operations.push({ kind: 'put', key: entryKey(entry.offset), value });
      hash = hashOfEntry(value);
    }
    const endOffset = from + entries.length;
    const tail = encodeTail({ endOffset, lastHash: hash, hardStateGeneration: this.#hardState.generation });
    operations.push({ kind: 'put', key: TAIL_KEY, value: tail });
    await this.#store.batch(operations, { sync: true });
    this.#moveEnd(from, entries, hash);
  }

  #moveEnd(from: Offset, entries: readonly Entry[], hash: ChainHash): void {
    this.#truncatingTo = Number.POSITIVE_INFINITY;
    this.#lastHash = hash;
    if (from < this.#log.endOffset) {
      this.#recent.truncate(from);
      this.#epochs = this.#epochs.filter((known) => known.startOffset < from);
    }
    this.#recent.append(entries);
    for (const { epoch, offset } of entries)
      if (epoch > (this.#epochs.at(-1)?.epoch ?? 0)) this.#epochs.push({ epoch, startOffset: offset });
    this.#log = {
      startOffset: this.#log.startOffset,
      endOffset: from + entries.length,
      lastEpoch: this.#epochs.at(-1)?.epoch ?? 0,
    };
  }

  #maybeRaiseFloor(): void {
    const lag = this.#safeFloor() - this.#hardState.wanted.tailFloor;
    if (lag <= 0 || this.#closed || this.#failure !== undefined || this.#hardState.isBusy) return;
    if (this.#waiting.length > 0 && lag < FLOOR_LAG_MAX) return;
    this.#saving(this.#hardState.save({ tailFloor: this.#safeFloor() })).then(
      () => this.#maybeRaiseFloor(),
      () => {},
    );
  }

  #safeFloor(): Offset {
    return Math.min(this.#log.endOffset, this.#truncatingTo);
  }

  async #hashBefore(offset: Offset): Promise<ChainHash> {
    const key = offset === this.#log.startOffset ? BASE_KEY : entryKey(offset - 1);
    const value = await this.#store.get(key);
    if (value === undefined) throw this.#corruption(offset - 1, 'nothing');
    if (key !== BASE_KEY) return hashOfEntry(value);
    const base = decodeBase(value);
    if (base === undefined) throw this.#corruption(offset, 'a damaged base marker');
    return base.hash;
  }

  async #readStored(from: Offset, to: Offset, maxBytes: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let bytes = 0;
    let expectedHash: ChainHash | undefined;
    const end = Math.min(to, from + ENTRIES_AT_ONCE_MAX);
    while (from + entries.length < end) {
      const at = from + entries.length;
      const limit = Math.min(READ_ENTRIES, end - at);
      const found = await this.#store.scan({ from: entryKey(at), to: entryKey(to), limit });
      for (const [index, { key, value }] of found.entries()) {
        const offset = at + index;
        if (offsetOfKey(key) !== offset) throw this.#corruption(offset, `entry ${offsetOfKey(key)}`);
        const decoded = decodeEntry(value);
        if ('problem' in decoded) throw this.#corruption(offset, decoded.problem);
        const { entry, previous } = decoded;
        if (entry.offset !== offset) throw this.#corruption(offset, `entry ${entry.offset}`);
        if (expectedHash !== undefined && !previous.equals(expectedHash))
          throw this.#corruption(offset, 'an entry that does not continue the one before');
        bytes += entry.payload.byteLength;
        if (entries.length > 0 && bytes > maxBytes) return entries;
        entries.push(entry);
        expectedHash = hashOfEntry(value);
      }
      if (found.length < limit) throw this.#corruption(at + found.length, 'nothing');
    }
    return entries;
  }

  async #saving(saved: Promise<void>): Promise<void> {
    try {
      await saved;
    } catch (error) {
      this.#fail(error);
      throw this.#failure;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  #isUsable(): boolean {
    return this.#failure === undefined && !this.#closed;
  }

  #refusal(): unknown {
    const closed = `the quorum store in ${this.#directory} is closed`;
    return this.#failure ?? new EnvironmentError('closed', this.#directory, closed);
  }

  #corruption(offset: Offset, found: string): CorruptionError {
    return new CorruptionError(`the metadata log in ${this.#directory}`, 0, `entry ${offset}`, found);
  }
}

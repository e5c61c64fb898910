/**
 * The disk of one node: what is durable, what only the cache has, what is under way.
 *
 * A crash keeps a prefix of what was not synced, each batch whole or not at all; what is under way may have arrived or
 * not. `durable` is the truth the checker goes by, whatever a node believes.
 */
import { EnvironmentError, type Offset, type Random } from '../../../base/index.ts';
import type { EpochStart, HardState, StoredLog } from '../../../raft/core/index.ts';
import type { Entry } from '../../../raft/index.ts';
import type { QuorumStorage, ReadResult, Saved } from '../../../raft/node/index.ts';
import type { Scheduler } from '../../twins/index.ts';

interface Batch {
  readonly truncateFrom: Offset | undefined;
  readonly entries: readonly Entry[];
}

export interface DiskHooks {
  readonly onAppend: (entries: readonly Entry[], truncateFrom: Offset | undefined) => void;
  readonly onDurable: () => void;
}

export interface DiskBehaviour {
  syncMeanMs: number;
  syncFailure: number;
  /** Until this time every operation takes much longer. */
  slowUntilMs: number;
}

export class SimDisk implements QuorumStorage {
  /** Synced. */
  hardState: HardState = NEW_STATE;
  /** What a process reads: as new as the synced one or newer. */
  #cachedState: HardState | undefined;
  /** Synced. Index is offset. */
  readonly durable: Entry[] = [];
  /** Written, not synced, oldest first. */
  #unsynced: Batch[] = [];
  /** What a reader sees: durable and unsynced. */
  #cache: Entry[] = [];
  #inFlight: Batch[] = [];
  #savingState: HardState | undefined;
  /** Raised by a crash: completions of an earlier process are nobody's. */
  #generation = 0;
  readonly behaviour: DiskBehaviour;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #hooks: DiskHooks;

  constructor(scheduler: Scheduler, random: Random, behaviour: DiskBehaviour, hooks: DiskHooks) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.behaviour = behaviour;
    this.#hooks = hooks;
  }

  /** What a process that starts now finds; it may be lost again in a power failure until it is saved again. */
  get storedState(): HardState {
    return this.#cachedState ?? this.hardState;
  }

  /** What a process that starts now finds; opening a log makes durable what it found, as LevelDB's recovery does. */
  openLog(): StoredLog {
    this.#sync();
    return this.#storedLog;
  }

  /** The log a process reads. */
  get #storedLog(): StoredLog {
    const epochs: EpochStart[] = [];
    for (const { epoch, offset } of this.#cache)
      if (epochs.at(-1)?.epoch !== epoch) epochs.push({ epoch, startOffset: offset });
    return { endOffset: this.#cache.length, epochs };
  }

  saveHardState(state: HardState, done: Saved): void {
    this.#savingState = state;
    this.#later((failed) => {
      this.#savingState = undefined;
      if (!failed || this.#random.float() < 0.5) this.hardState = state;
      this.#cachedState = undefined;
      done(failed ? SYNC_FAILED : undefined);
    });
  }

  append(
    entries: readonly Entry[],
    { truncateFrom, sync }: { readonly truncateFrom?: Offset; readonly sync: boolean },
    done: Saved,
  ): void {
    this.#hooks.onAppend(entries, truncateFrom);
    const batch = { truncateFrom, entries };
    this.#inFlight.push(batch);
    this.#later((failed) => {
      this.#inFlight.shift();
      const arrived = !failed || this.#random.float() < 0.5;
      if (arrived) this.#write(batch);
      if (arrived && sync) this.#sync();
      done(failed ? SYNC_FAILED : undefined);
    });
  }

  read(from: Offset, to: Offset, maxBytes: number, done: (result: ReadResult) => void): void {
    const count = Math.max(1, Math.min(to - from, Math.floor(maxBytes / 16)));
    const entries = this.#cache.slice(from, from + count);
    this.#later(() => done({ kind: 'entries', entries }));
  }

  /** The process ended. With `power` the cache is lost, too. Gives the number of entries lost for ever. */
  crash(power: boolean): number {
    this.#generation++;
    if (this.#savingState !== undefined && this.#random.float() < 0.5) this.#cachedState = this.#savingState;
    this.#savingState = undefined;
    if (power && this.#cachedState !== undefined) {
      if (this.#random.float() < 0.5) this.hardState = this.#cachedState;
      this.#cachedState = undefined;
    }
    const arrived = this.#inFlight.slice(0, this.#random.integer(0, this.#inFlight.length + 1));
    const kept = power ? this.#random.integer(0, this.#unsynced.length + arrived.length + 1) : undefined;
    const before = Math.max(this.#cache.length, ...this.#inFlight.map(endOf));
    const batches = [...this.#unsynced, ...arrived].slice(0, kept);
    this.#inFlight = [];
    this.#unsynced = [];
    this.#cache = [...this.durable];
    for (const batch of batches) this.#write(batch);
    if (power) this.#sync();
    return Math.max(0, before - this.#cache.length);
  }

  /** A new disk in its place. */
  wipe(): void {
    this.crash(true);
    this.durable.length = 0;
    this.#cache = [];
    this.hardState = NEW_STATE;
  }

  #write(batch: Batch): void {
    this.#unsynced.push(batch);
    apply(this.#cache, batch);
  }

  #sync(): void {
    for (const batch of this.#unsynced) apply(this.durable, batch);
    this.#unsynced = [];
    this.#hooks.onDurable();
  }

  #later(done: (failed: boolean) => void): void {
    const generation = this.#generation;
    const { syncMeanMs, syncFailure, slowUntilMs } = this.behaviour;
    const factor = this.#scheduler.nowMs < slowUntilMs ? 100 : 1;
    const delayMs = 0.05 - Math.log(1 - this.#random.float()) * syncMeanMs * factor;
    const failed = this.#random.float() < syncFailure;
    this.#scheduler.after(delayMs, () => {
      if (generation === this.#generation) done(failed);
    });
  }
}

const NEW_STATE: HardState = { epoch: 0, leaderId: -1, voters: [] };

const SYNC_FAILED = new EnvironmentError('io-error', 'disk', 'the sync failed');

function endOf({ entries, truncateFrom }: Batch): Offset {
  return (entries.at(-1)?.offset ?? (truncateFrom ?? 0) - 1) + 1;
}

function apply(log: Entry[], { truncateFrom, entries }: Batch): void {
  if (truncateFrom !== undefined) log.length = Math.min(log.length, truncateFrom);
  for (const entry of entries) log.push(entry);
}

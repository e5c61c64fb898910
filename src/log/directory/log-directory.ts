/**
 * One data directory: its lock, its logs, their checkpoints, and the mark of its clean stop.
 *
 * Owns everything below its path but the metadata log. A log is one directory of segments; names with a suffix are on
 * their way out or kept for a person.
 *
 * The first failure of the disk (a write of a log, a sync, a directory that cannot be listed) ends the directory for good:
 * all its logs go offline, nothing is written there any more. Damage in one log ends that log alone. A refusal for lack
 * of room that leaves everything as it was (a log that is to be made, a checkpoint) ends nothing.
 * Source: Kafka's LogManager and LogDirFailureChannel, per directory; KIP-112.
 */
import {
  assert,
  type BrokerEpoch,
  CorruptionError,
  EnvironmentError,
  type EnvironmentReason,
  NONE,
  type PartitionId,
  topicPartitionKey,
  type Uuid,
  ZERO_UUID,
} from '../../base/index.ts';
import { type FileLock, makeDurableDirectory } from '../../env/index.ts';
import { saveCleanShutdown, takeCleanShutdown } from '../checkpoint/clean-shutdown.ts';
import { DirectoryCheckpoints } from '../checkpoint/directory-checkpoints.ts';
import { NO_CHECKPOINT } from '../checkpoint/log-checkpoint.ts';
import type { LogConfig } from '../log-config.ts';
import type { LogIdentity, LogPromise, LogSurroundings } from '../log-state.ts';
import type { LoadProgress } from '../open/load-progress.ts';
import { type FoundLog, offlineLog, openPartitionLog } from '../open/open-partition-log.ts';
import type { PartitionLog } from '../partition-log.ts';
import { DelayedRemovals } from '../segment/delayed-removals.ts';
import { sizeOfLastSegments } from '../segment/last-segment-sizes.ts';
import { describeFailure, wayOut } from '../storage-refusal.ts';
import type { DataDirectory, DirectorySurroundings } from './data-directory.ts';
import type { AsideKind, LogName } from './directory-names.ts';
import { LogPlaces } from './log-places.ts';

/** Logs that are loaded at a time at the start. */
const LOADS_MAX = 8;
const LOCK = '.logs-lock';
/** The disk lacks something now and is sound: what was asked for can be tried again. */
const PASSING: ReadonlySet<EnvironmentReason> = new Set<EnvironmentReason>([
  'disk-full',
  'too-many-open-files',
]);

export class LogDirectory {
  readonly path: string;
  /** Absent: it was never known, for the directory was offline from the start. */
  readonly id: Uuid | undefined;
  readonly #around: LogSurroundings;
  readonly #defaults: LogConfig;
  readonly #progress: LoadProgress;
  readonly #removals: DelayedRemovals;
  readonly #places: LogPlaces;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #checkpoints: DirectoryCheckpoints;
  readonly #handleFailure: (failure: Error) => void;
  #lock: FileLock | undefined;
  #failure: Error | undefined;
  /** Logs that are being made. */
  #making = 0;
  #cleanShutdownEpoch: BrokerEpoch = NONE;

  constructor({ path, id, failure }: DataDirectory, surroundings: DirectorySurroundings) {
    const { environment, defaults, tailCache, pool, counters, progress } = surroundings;
    this.path = path;
    this.id = id;
    this.#handleFailure = surroundings.handleDirectoryFailure;
    this.#defaults = defaults;
    this.#progress = progress;
    this.#removals = new DelayedRemovals(environment.logger, environment.timers);
    this.#places = new LogPlaces(environment, path);
    const { files, logger } = environment;
    this.#checkpoints = new DirectoryCheckpoints({ files, logger, path, logs: this.#logs });
    this.#around = {
      files,
      logger,
      tailCache,
      pool,
      counters,
      removals: this.#removals,
      handleLogFailure: (log, error) => this.#handleLogFailure(log, error),
      saveCheckpoints: () => this.checkpoint(),
      lowerCheckpoints: (log) => this.#lowerCheckpoints(log),
    };
    if (failure !== undefined) this.fail(failure);
  }

  /** Set once, for good: nothing here is read or written any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Takes the directory offline with all its logs. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#failure = failure;
    const fields = { directory: this.path, ...describeFailure(error), wayOut: wayOut(error) };
    this.#around.logger.error(fields, 'data directory is offline');
    for (const log of [...this.#logs.values()]) log.takeOffline(failure, 'elsewhere');
    this.#handleFailure(failure);
  }

  /** A log that was opened and then failed for anything but damage of its own: the disk cannot be trusted. */
  #handleLogFailure({ topic, partition, directory }: LogIdentity, error: unknown): void {
    const isOpen = this.find(topic, partition)?.directory === directory;
    if (isOpen && !(error instanceof CorruptionError)) this.fail(error);
  }

  /** Broker epoch of the last clean stop; -1: the last stop was not clean, or there was none, or this cannot be read. */
  get cleanShutdownEpoch(): BrokerEpoch {
    return this.#failure === undefined ? this.#cleanShutdownEpoch : NONE;
  }

  /**
   * Makes the directory when missing, locks it, loads its logs. Rejects with EnvironmentError ('locked' when another
   * process has it); then nothing of it stays open.
   */
  async open(): Promise<void> {
    const { files } = this.#around;
    await makeDurableDirectory(files, this.path);
    this.#lock = await files.lock(`${this.path}/${LOCK}`);
    try {
      const { clean, brokerEpoch } = await takeCleanShutdown(files, this.path);
      if (clean) this.#cleanShutdownEpoch = brokerEpoch;
      await this.#load(clean);
    } catch (error) {
      await this.release();
      this.#logs.clear();
      throw error;
    }
  }

  /** Those being made included. */
  get logCount(): number {
    return this.#logs.size + this.#making;
  }

  find(topic: string, partition: PartitionId): PartitionLog | undefined {
    return this.#logs.get(topicPartitionKey(topic, partition));
  }

  /** Offline ones included. */
  all(): Iterable<PartitionLog> {
    return this.#logs.values();
  }

  /** A new, empty log, durable when it resolves. No log of that name may be here. Rejects with EnvironmentError. */
  async create(identity: Omit<LogIdentity, 'directory'>, config: LogConfig): Promise<PartitionLog> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#making++;
    try {
      return await this.#attempt(() => this.#create(identity, config));
    } finally {
      this.#making--;
    }
  }

  /** What the disk refuses ends the directory, unless it can be tried again. */
  async #attempt<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      if (error instanceof EnvironmentError && !PASSING.has(error.reason)) this.fail(error);
      throw error;
    }
  }

  async #create(asked: Omit<LogIdentity, 'directory'>, config: LogConfig): Promise<PartitionLog> {
    const key = topicPartitionKey(asked.topic, asked.partition);
    const identity = { ...asked, directory: `${this.path}/${key}` };
    // A log made anew under a name must not be held to the offsets of the one before.
    if (this.#checkpoints.has(key)) await this.checkpoint();
    const aside = await this.#places.make(identity.directory, asked);
    if (aside !== undefined)
      this.#around.logger.warn({ directory: aside }, 'set aside what stood in the place of a new log');
    const found = { checkpoint: NO_CHECKPOINT, clean: false };
    const log = await openPartitionLog(identity, config, found, this.#around);
    const failure = log.failure ?? this.#failure;
    if (failure !== undefined) {
      await log.release();
      throw failure;
    }
    this.#logs.set(key, log);
    return log;
  }

  /** See LogManager. */
  async delete(log: PartitionLog): Promise<void> {
    const path = await this.#remove(log, 'delete');
    if (path === undefined) return;
    const { files } = this.#around;
    const doomed = { path, remove: () => files.removeDirectory(path), close: () => Promise.resolve() };
    await this.#removals.add(doomed, log.config.fileDeleteDelayMs);
  }

  /** See LogManager. */
  async setAside(log: PartitionLog): Promise<string | undefined> {
    if (!(log.failure instanceof CorruptionError)) return this.#remove(log, 'stray');
    await this.removeDamaged(log);
    return this.#remove(log, 'damaged');
  }

  /** See LogManager. */
  async removeDamaged(place: { readonly topic: string; readonly partition: PartitionId }): Promise<void> {
    if (this.#failure === undefined) await this.#attempt(() => this.#places.removeDamaged(place));
  }

  /** Forgets the log. In a directory that is offline its files stay as they are: then it gives nothing. */
  async #remove(log: PartitionLog, kind: AsideKind): Promise<string | undefined> {
    this.#logs.delete(topicPartitionKey(log.topic, log.partition));
    await log.release();
    if (this.#failure !== undefined) return undefined;
    return this.#attempt(() => this.#places.moveAside(log.directory, log, kind));
  }

  /** Saves high watermarks, recovery points and log starts of all logs. Rejects with EnvironmentError. */
  async checkpoint(): Promise<void> {
    if (this.#failure === undefined) await this.#attempt(() => this.#checkpoints.save());
  }

  /** See LogManager. */
  async close(brokerEpoch: BrokerEpoch): Promise<void> {
    try {
      const clean = await Promise.all(Array.from(this.#logs.values(), (log) => log.close()));
      await this.checkpoint();
      if (this.#failure === undefined && clean.every(Boolean))
        await saveCleanShutdown(this.#around.files, this.path, brokerEpoch);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const fields = { directory: this.path, reason: error.reason, error: error.message };
      this.#around.logger.warn(fields, 'the stop is not clean: the next start reads the logs again');
    } finally {
      await this.#removals.close();
      await this.#unlock();
    }
  }

  /** Lets go of everything as it is. */
  async release(): Promise<void> {
    await Promise.all(Array.from(this.#logs.values(), (log) => log.release()));
    await this.#removals.close();
    await this.#unlock();
  }

  async #unlock(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }

  /** Finds and opens the logs. `clean`: their files may be trusted. */
  async #load(clean: boolean): Promise<void> {
    // What a killed process named last may be in the system's memory alone: a log, or checkpoints that promise less.
    if (!clean) await this.#around.files.syncDirectory(this.path);
    await this.#checkpoints.load();
    const found = await this.#places.find();
    const names = found.map(({ name }) => name);
    const recoverBytes = clean ? 0 : await sizeOfLastSegments(this.#around.files, this.path, names);
    this.#progress.begin(found.length, recoverBytes);
    const afterwards: (() => Promise<void>)[] = [];
    const loadNext = async (): Promise<void> => {
      for (let name = found.pop(); name !== undefined; name = found.pop()) {
        try {
          await this.#loadOne(name, { clean, afterwards: (task) => afterwards.push(task) });
        } finally {
          this.#progress.opened();
        }
      }
    };
    // All of them end before anybody may let the directory go.
    const ends = await Promise.allSettled(Array.from({ length: LOADS_MAX }, loadNext));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    if (await this.#lowerLoaded()) for (const task of afterwards) await task();
  }

  /**
   * What a log lost, or has no more after a cut that a crash interrupted, must not be promised of what takes its place.
   * False: some are offline, for the disk refused.
   */
  async #lowerLoaded(): Promise<boolean> {
    const lower = this.#checkpoints.tooHigh();
    if (lower.length === 0) return true;
    try {
      await this.checkpoint();
      return true;
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      for (const log of lower) log.takeOffline(error);
      return false;
    }
  }

  async #loadOne(
    { name, topic, partition }: LogName,
    how: Required<Pick<FoundLog, 'clean' | 'afterwards'>>,
  ): Promise<void> {
    const directory = `${this.path}/${name}`;
    const identity = { topic, partition, directory };
    const topicId = await this.#places.readTopicId(directory);
    if (topicId === undefined) {
      this.#around.logger.warn({ directory }, 'moved a log without topic id aside');
      await this.#places.moveAside(directory, identity, 'stray');
      return;
    }
    const onRecovered = (bytes: number): void => this.#progress.recovered(bytes);
    this.#add(
      name,
      topicId instanceof CorruptionError
        ? offlineLog({ ...identity, topicId: ZERO_UUID }, this.#defaults, topicId, this.#around)
        : await openPartitionLog(
            { ...identity, topicId },
            this.#defaults,
            { checkpoint: this.#checkpoints.get(name), ...how, onRecovered },
            this.#around,
          ),
    );
  }

  #add(name: string, log: PartitionLog): void {
    assert(!this.#logs.has(name), 'a name is one log', { name });
    this.#logs.set(name, log);
    if (log.failure !== undefined) this.#handleLogFailure(log, log.failure);
    if (this.#failure !== undefined) log.takeOffline(this.#failure, 'elsewhere');
  }

  /** Before files are cut, the checkpoints must not promise what is about to go. */
  async #lowerCheckpoints(log: LogPromise): Promise<void> {
    if (this.#checkpoints.promisesMoreThan(log)) await this.checkpoint();
  }
}

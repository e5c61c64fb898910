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
  NONE,
  type PartitionId,
  randomUuid,
  topicPartitionKey,
  type Uuid,
  ZERO_UUID,
} from '../base/index.ts';
import { type Environment, type FileLock, makeDurableDirectory } from '../env/index.ts';
import { saveCleanShutdown, takeCleanShutdown } from './checkpoint/clean-shutdown.ts';
import { DirectoryCheckpoints } from './checkpoint/directory-checkpoints.ts';
import { NO_CHECKPOINT } from './checkpoint/log-checkpoint.ts';
import {
  PARTITION_METADATA,
  readPartitionMetadata,
  savePartitionMetadata,
} from './checkpoint/partition-metadata.ts';
import type { LogConfig } from './log-config.ts';
import type { LogCounters } from './log-metrics.ts';
import type { LogIdentity, LogPromise, LogSurroundings } from './log-state.ts';
import type { LoadProgress } from './open/load-progress.ts';
import { offlineLog, openPartitionLog } from './open/open-partition-log.ts';
import type { PartitionLog } from './partition-log.ts';
import type { TailCache } from './read/tail-cache.ts';
import { DelayedRemovals } from './segment/delayed-removals.ts';
import { sizeOfLastSegments } from './segment/last-segment-sizes.ts';
import { parseLogFileName } from './segment/segment-names.ts';
import type { SegmentPool } from './segment/segment-pool.ts';
import { describeFailure, wayOut } from './storage-refusal.ts';

/** A data directory as the configuration and its meta.properties describe it. */
export interface DataDirectory {
  readonly path: string;
  /** Absent: it could not be read. */
  readonly id?: Uuid;
  /** Why it is offline already. */
  readonly failure?: Error;
}

/** Without timers, files that are to be removed go at once. */
export type LogEnvironment = Pick<Environment, 'files' | 'logger' | 'random'> &
  Partial<Pick<Environment, 'timers'>>;

/** What the directories of one broker share. */
export interface DirectorySurroundings {
  readonly environment: LogEnvironment;
  /** For logs found on disk, until somebody sets their topic's. */
  readonly defaults: LogConfig;
  readonly tailCache: TailCache;
  readonly pool: SegmentPool;
  readonly counters: LogCounters;
  readonly progress: LoadProgress;
  /** Called once at most. */
  readonly handleDirectoryFailure: (directory: LogDirectory) => void;
}

/** Logs that are loaded at a time at the start. */
const LOADS_MAX = 8;
const LOCK = '.logs-lock';
const LOG_DIRECTORY = /^(.+)-(\d+)$/;
const DELETED_SUFFIX = '-delete';
/** A directory of segments that nobody claims, or that does not say whose it is: kept for a person to look at. */
const STRAY_SUFFIX = '-stray';
/** The files of a log that was damaged, and is made anew from the leader: kept, at most once per partition. */
const DAMAGED_SUFFIX = '-damaged';
/** The metadata log may live in the same directory; it is not ours. */
const METADATA_LOG = '__cluster_metadata-0';

export class LogDirectory {
  readonly path: string;
  /** Absent: it was never known, for the directory was offline from the start. */
  readonly id: Uuid | undefined;
  readonly #around: LogSurroundings;
  readonly #environment: DirectorySurroundings['environment'];
  readonly #defaults: LogConfig;
  readonly #progress: LoadProgress;
  readonly #removals: DelayedRemovals;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #checkpoints: DirectoryCheckpoints;
  readonly #handleFailure: () => void;
  #lock: FileLock | undefined;
  #failure: Error | undefined;
  /** Logs that are being made. */
  #making = 0;
  #cleanShutdownEpoch: BrokerEpoch = NONE;

  constructor({ path, id, failure }: DataDirectory, surroundings: DirectorySurroundings) {
    const { environment, defaults, tailCache, pool, counters, progress } = surroundings;
    this.path = path;
    this.id = id;
    this.#handleFailure = () => surroundings.handleDirectoryFailure(this);
    this.#environment = environment;
    this.#defaults = defaults;
    this.#progress = progress;
    this.#removals = new DelayedRemovals(environment.logger, environment.timers);
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
    this.#failure = error instanceof Error ? error : new Error(String(error));
    const fields = { directory: this.path, ...describeFailure(error), wayOut: wayOut(error) };
    this.#environment.logger.error(fields, 'data directory is offline');
    for (const log of [...this.#logs.values()]) log.takeOffline(this.#failure, 'elsewhere');
    this.#handleFailure();
  }

  /** A log that was opened and then failed for anything but damage of its own: the disk cannot be trusted. */
  #handleLogFailure({ topic, partition, directory }: LogIdentity, error: unknown): void {
    const isOpen = this.find(topic, partition)?.directory === directory;
    if (isOpen && !(error instanceof CorruptionError)) this.fail(error);
  }

  /** Broker epoch of the last clean stop; -1: the last stop was not clean, or there was none. */
  get cleanShutdownEpoch(): BrokerEpoch {
    return this.#cleanShutdownEpoch;
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
  async create(
    topic: string,
    partition: PartitionId,
    topicId: Uuid,
    config: LogConfig,
  ): Promise<PartitionLog> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#making++;
    try {
      return await this.#create(topic, partition, topicId, config);
    } catch (error) {
      this.#failUnlessFull(error);
      throw error;
    } finally {
      this.#making--;
    }
  }

  /** A disk without room is not one that fails: what was asked for can be tried again. */
  #failUnlessFull(error: unknown): void {
    if (error instanceof EnvironmentError && error.reason !== 'disk-full') this.fail(error);
  }

  async #create(
    topic: string,
    partition: PartitionId,
    topicId: Uuid,
    config: LogConfig,
  ): Promise<PartitionLog> {
    const { files } = this.#around;
    const key = topicPartitionKey(topic, partition);
    const directory = `${this.path}/${key}`;
    // A log made anew under a name must not be held to the offsets of the one before.
    if (this.#checkpoints.has(key)) await this.checkpoint();
    await files.makeDirectory(directory);
    await savePartitionMetadata(files, directory, topicId);
    await files.syncDirectory(this.path);
    const identity = { topic, partition, topicId, directory };
    const found = { checkpoint: NO_CHECKPOINT, clean: false };
    const log = await openPartitionLog(identity, config, found, this.#around);
    if (log.failure !== undefined) {
      await log.release();
      throw log.failure;
    }
    this.#logs.set(key, log);
    return log;
  }

  /** See LogManager. */
  async delete(log: PartitionLog): Promise<void> {
    const directory = await this.#remove(log, DELETED_SUFFIX);
    const { files } = this.#around;
    const doomed = {
      path: directory,
      remove: () => files.removeDirectory(directory),
      close: () => Promise.resolve(),
    };
    await this.#removals.add(doomed, log.config.fileDeleteDelayMs);
  }

  /** See LogManager. */
  async setAside(log: PartitionLog): Promise<string> {
    if (!(log.failure instanceof CorruptionError)) return this.#remove(log, STRAY_SUFFIX);
    const earlier = `${topicPartitionKey(log.topic, log.partition)}.`;
    const { files } = this.#around;
    for (const name of await files.list(this.path))
      if (name.startsWith(earlier) && name.endsWith(DAMAGED_SUFFIX))
        await files.removeDirectory(`${this.path}/${name}`);
    return this.#remove(log, DAMAGED_SUFFIX);
  }

  async #remove(log: PartitionLog, suffix: string): Promise<string> {
    this.#logs.delete(topicPartitionKey(log.topic, log.partition));
    await log.release();
    return this.#moveAside(log.directory, suffix);
  }

  /** Saves high watermarks, recovery points and log starts of all logs. Rejects with EnvironmentError. */
  async checkpoint(): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await this.#checkpoints.save();
    } catch (error) {
      this.#failUnlessFull(error);
      throw error;
    }
  }

  /** See LogManager. */
  async close(brokerEpoch: BrokerEpoch): Promise<void> {
    try {
      const clean = await Promise.all(Array.from(this.#logs.values(), (log) => log.close()));
      await this.checkpoint();
      await this.#removals.close();
      if (this.#failure === undefined && clean.every(Boolean))
        await saveCleanShutdown(this.#around.files, this.path, brokerEpoch);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const fields = { directory: this.path, reason: error.reason, error: error.message };
      this.#around.logger.warn(fields, 'the stop is not clean: the next start reads the logs again');
    } finally {
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
    const names = await this.#findLogs();
    const recoverBytes = clean ? 0 : await sizeOfLastSegments(this.#around.files, this.path, names);
    this.#progress.begin(names.length, recoverBytes);
    const loadNext = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        try {
          await this.#loadOne(name, clean);
        } finally {
          this.#progress.opened();
        }
      }
    };
    // All of them end before anybody may let the directory go.
    const ends = await Promise.allSettled(Array.from({ length: LOADS_MAX }, loadNext));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    await this.#lowerLoaded();
  }

  /** What a log lost, or has no more after a cut that a crash interrupted, must not be promised of what takes its place. */
  async #lowerLoaded(): Promise<void> {
    const lower = this.#checkpoints.tooHigh();
    if (lower.length === 0) return;
    try {
      await this.checkpoint();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      for (const log of lower) log.takeOffline(error);
    }
  }

  /** The names of their directories. What was being deleted is gone afterwards. */
  async #findLogs(): Promise<string[]> {
    const { files } = this.#around;
    const found: string[] = [];
    for (const name of await files.list(this.path)) {
      const isDeleted = name.endsWith(DELETED_SUFFIX);
      if (name === METADATA_LOG || !(isDeleted || LOG_DIRECTORY.test(name))) continue;
      const directory = `${this.path}/${name}`;
      if ((await files.stat(directory))?.kind !== 'directory') continue;
      if (isDeleted) await files.removeDirectory(directory);
      else found.push(name);
    }
    return found;
  }

  async #loadOne(name: string, clean: boolean): Promise<void> {
    const directory = `${this.path}/${name}`;
    const [, topic = '', partition] = LOG_DIRECTORY.exec(name) ?? [];
    const identity = { topic, partition: Number(partition), directory };
    const topicId = await this.#readTopicId(directory);
    if (topicId === undefined) {
      this.#around.logger.warn({ directory }, 'moved a log without topic id aside');
      await this.#moveAside(directory, STRAY_SUFFIX);
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
            { checkpoint: this.#checkpoints.get(name), clean, onRecovered },
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

  /** undefined: the making of the log was never finished. Records without it are somebody's, and nobody knows whose. */
  async #readTopicId(directory: string): Promise<Uuid | undefined | CorruptionError> {
    const { files } = this.#around;
    try {
      const topicId = await readPartitionMetadata(files, directory);
      if (topicId !== undefined) return topicId;
    } catch (error) {
      if (error instanceof CorruptionError) return error;
      throw error;
    }
    for (const name of await files.list(directory)) {
      const isSegment = parseLogFileName(name)?.suffix === 'log';
      if (isSegment && (await files.stat(`${directory}/${name}`))?.sizeBytes !== 0)
        return new CorruptionError(`${directory}/${PARTITION_METADATA}`, 0, 'the id of the topic', 'no file');
    }
    return undefined;
  }

  async #moveAside(directory: string, suffix: string): Promise<string> {
    const { files } = this.#around;
    const aside = `${directory}.${randomUuid(this.#environment.random)}${suffix}`;
    await files.rename(directory, aside);
    await files.syncDirectory(this.path);
    return aside;
  }

  /** Before files are cut, the checkpoints must not promise what is about to go. */
  async #lowerCheckpoints(log: LogPromise): Promise<void> {
    if (this.#checkpoints.promisesMoreThan(log)) await this.checkpoint();
  }
}

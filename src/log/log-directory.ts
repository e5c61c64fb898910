/**
 * One data directory: its lock, its logs, their checkpoints, and the mark of its clean stop.
 *
 * Owns everything below its path but the metadata log. A log is one directory of segments; names with a suffix are on
 * their way out or kept for a person. Source: Kafka's LogManager, per directory.
 */
import {
  type BrokerEpoch,
  EnvironmentError,
  NONE,
  type PartitionId,
  randomUuid,
  topicPartitionKey,
  type Uuid,
} from '../base/index.ts';
import { type Environment, type FileLock, makeDurableDirectory } from '../env/index.ts';
import { changedCheckpoints, readCheckpoints, saveCheckpoints } from './checkpoints.ts';
import { saveCleanShutdown, takeCleanShutdown } from './clean-shutdown.ts';
import { DelayedRemovals } from './delayed-removals.ts';
import { JoinedRuns } from './joined-runs.ts';
import { sizeOfLastSegments } from './last-segment-sizes.ts';
import type { LoadProgress } from './load-progress.ts';
import { highestOf, type LogCheckpoint, NO_CHECKPOINT } from './log-checkpoint.ts';
import type { LogConfig } from './log-config.ts';
import type { LogCounters } from './log-metrics.ts';
import type { LogPromise, LogSurroundings } from './log-state.ts';
import { openPartitionLog } from './open-partition-log.ts';
import type { PartitionLog } from './partition-log.ts';
import { readPartitionMetadata, savePartitionMetadata } from './partition-metadata.ts';
import type { SegmentPool } from './segment-pool.ts';
import type { TailCache } from './tail-cache.ts';

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
}

/** Logs that are loaded at a time at the start. */
const LOADS_MAX = 8;
const LOCK = '.logs-lock';
const LOG_DIRECTORY = /^(.+)-(\d+)$/;
const DELETED_SUFFIX = '-delete';
/** A directory of segments that nobody claims, or that does not say whose it is: kept for a person to look at. */
const STRAY_SUFFIX = '-stray';
/** The metadata log may live in the same directory; it is not ours. */
const METADATA_LOG = '__cluster_metadata-0';

export class LogDirectory {
  readonly path: string;
  readonly #around: LogSurroundings;
  readonly #environment: DirectorySurroundings['environment'];
  readonly #defaults: LogConfig;
  readonly #progress: LoadProgress;
  readonly #removals: DelayedRemovals;
  readonly #logs = new Map<string, PartitionLog>();
  /** What the checkpoint files say at most: a save that failed may have replaced some of them. */
  #saved = new Map<string, LogCheckpoint>();
  /** What they say for certain; undefined: that is not known. */
  #certain: ReadonlyMap<string, LogCheckpoint> | undefined;
  readonly #saving = new JoinedRuns(() => this.#saveCheckpoints());
  #lock: FileLock | undefined;
  #cleanShutdownEpoch: BrokerEpoch = NONE;

  constructor(path: string, shared: DirectorySurroundings) {
    const { environment, defaults, tailCache, pool, counters, progress } = shared;
    this.path = path;
    this.#environment = environment;
    this.#defaults = defaults;
    this.#progress = progress;
    this.#removals = new DelayedRemovals(environment.logger, environment.timers);
    this.#around = {
      files: environment.files,
      logger: environment.logger,
      tailCache,
      pool,
      counters,
      removals: this.#removals,
      saveCheckpoints: () => this.checkpoint(),
      lowerCheckpoints: (log) => this.#lowerCheckpoints(log),
    };
  }

  /** Broker epoch of the last clean stop; -1: the last stop was not clean, or there was none. */
  get cleanShutdownEpoch(): BrokerEpoch {
    return this.#cleanShutdownEpoch;
  }

  /**
   * Makes the directory when missing, locks it, loads its logs. Rejects with EnvironmentError ('locked' when another
   * process has it), CorruptionError when a checkpoint file is damaged; then nothing of it stays open.
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
      throw error;
    }
  }

  get logCount(): number {
    return this.#logs.size;
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
    const { files } = this.#around;
    const key = topicPartitionKey(topic, partition);
    const directory = `${this.path}/${key}`;
    // A log made anew under a name must not be held to the offsets of the one before.
    if (this.#saved.has(key)) await this.checkpoint();
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
  setAside(log: PartitionLog): Promise<string> {
    return this.#remove(log, STRAY_SUFFIX);
  }

  async #remove(log: PartitionLog, suffix: string): Promise<string> {
    this.#logs.delete(topicPartitionKey(log.topic, log.partition));
    await log.release();
    return this.#moveAside(log.directory, suffix);
  }

  /** Saves high watermarks, recovery points and log starts of all logs. Rejects with EnvironmentError. */
  checkpoint(): Promise<void> {
    return this.#saving.run();
  }

  /** See LogManager. */
  async close(brokerEpoch: BrokerEpoch): Promise<void> {
    try {
      const clean = await Promise.all(Array.from(this.#logs.values(), (log) => log.close()));
      await this.checkpoint();
      await this.#removals.close();
      if (clean.every(Boolean)) await saveCleanShutdown(this.#around.files, this.path, brokerEpoch);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const fields = { directory: this.path, reason: error.reason, error: error.message };
      this.#around.logger.warn(fields, 'the stop is not clean: the next start reads the logs again');
    } finally {
      await this.#lock?.release();
    }
  }

  /** Lets go of everything as it is. */
  async release(): Promise<void> {
    await Promise.all(Array.from(this.#logs.values(), (log) => log.release()));
    await this.#removals.close();
    await this.#lock?.release();
  }

  /** Finds and opens the logs. `clean`: their files may be trusted. */
  async #load(clean: boolean): Promise<void> {
    const { files } = this.#around;
    this.#saved = await readCheckpoints(files, this.path);
    const names = await this.#findLogs();
    const recoverBytes = clean ? 0 : await sizeOfLastSegments(files, this.path, names);
    this.#progress.begin(names.length, recoverBytes);
    const loadNext = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        await this.#loadOne(name, clean);
        this.#progress.opened();
      }
    };
    // All of them end before anybody may let the directory go.
    const ends = await Promise.allSettled(Array.from({ length: LOADS_MAX }, loadNext));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
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
    const { files, logger } = this.#around;
    const directory = `${this.path}/${name}`;
    const topicId = await readPartitionMetadata(files, directory);
    if (topicId === undefined) {
      logger.warn({ directory }, 'moved a log without topic id aside');
      await this.#moveAside(directory, STRAY_SUFFIX);
      return;
    }
    const [, topic = '', partition] = LOG_DIRECTORY.exec(name) ?? [];
    const identity = { topic, partition: Number(partition), topicId, directory };
    const onRecovered = (bytes: number): void => this.#progress.recovered(bytes);
    const found = { checkpoint: this.#saved.get(name) ?? NO_CHECKPOINT, clean, onRecovered };
    this.#logs.set(name, await openPartitionLog(identity, this.#defaults, found, this.#around));
  }

  async #moveAside(directory: string, suffix: string): Promise<string> {
    const { files } = this.#around;
    const aside = `${directory}.${randomUuid(this.#environment.random)}${suffix}`;
    await files.rename(directory, aside);
    await files.syncDirectory(this.path);
    return aside;
  }

  async #saveCheckpoints(): Promise<void> {
    const saved = new Map(Array.from(this.#logs, ([key, log]) => [key, this.#checkpointOf(key, log)]));
    const changed = changedCheckpoints(this.#certain, saved);
    if (changed.length === 0) return;
    this.#certain = undefined;
    this.#saved = highestOf(this.#saved, saved);
    await saveCheckpoints(this.#around.files, this.path, this.#logs.values(), saved, changed);
    this.#saved = saved;
    this.#certain = saved;
  }

  /** An offline log keeps what was known of it: it may be mended by hand. */
  #checkpointOf(key: string, log: PartitionLog): LogCheckpoint {
    if (log.failure !== undefined) return this.#saved.get(key) ?? NO_CHECKPOINT;
    const { highWatermark, recoveryPoint, logStartOffset, firstDirtyOffset } = log;
    return { highWatermark, recoveryPoint, logStart: logStartOffset, firstDirty: firstDirtyOffset };
  }

  /** Before files are cut, the checkpoints must not promise what is about to go. */
  async #lowerCheckpoints(log: LogPromise): Promise<void> {
    const saved = this.#saved.get(topicPartitionKey(log.topic, log.partition)) ?? NO_CHECKPOINT;
    if (
      saved.recoveryPoint > log.recoveryPoint ||
      saved.logStart > log.logStartOffset ||
      saved.firstDirty > log.firstDirtyOffset
    )
      await this.checkpoint();
  }
}

import {
  ApiError,
  type BrokerEpoch,
  EnvironmentError,
  NONE,
  type PartitionId,
  randomUuid,
  topicPartitionKey,
  type Uuid,
  type WallMs,
} from '../base/index.ts';
import { type Environment, type FileLock, makeDurableDirectory } from '../env/index.ts';
import { readCheckpoints, saveCheckpoints } from './checkpoints.ts';
import { saveCleanShutdown, takeCleanShutdown } from './clean-shutdown.ts';
import { type CleanerOptions, LogCleaner } from './compaction/log-cleaner.ts';
import { JoinedRuns } from './joined-runs.ts';
import { highestOf, type LogCheckpoint, NO_CHECKPOINT } from './log-checkpoint.ts';
import type { LogConfig } from './log-config.ts';
import type { LogPromise, LogSurroundings } from './log-state.ts';
import { openPartitionLog } from './open-partition-log.ts';
import type { PartitionLog } from './partition-log.ts';
import { readPartitionMetadata, savePartitionMetadata } from './partition-metadata.ts';
import { SegmentPool } from './segment-pool.ts';
import { TailCache } from './tail-cache.ts';

export interface LogManagerOptions {
  /** The data directory; made when missing. */
  readonly directory: string;
  readonly environment: Pick<Environment, 'files' | 'logger' | 'random'>;
  /** For logs found on disk, until somebody sets their topic's. */
  readonly defaults: LogConfig;
  /** Memory for recent appends, over all logs. */
  readonly tailCacheBytes: number;
  /** Closed segments that are kept open, over all logs. */
  readonly openSegmentsMax?: number;
}

const OPEN_SEGMENTS_MAX = 256;
/** Logs that are loaded at a time at the start. */
const LOADS_MAX = 8;
const LOCK = '.logs-lock';
const LOG_DIRECTORY = /^(.+)-(\d+)$/;
const DELETED_SUFFIX = '-delete';
/** A directory of segments that nobody claims, or that does not say whose it is: kept for a person to look at. */
const STRAY_SUFFIX = '-stray';
/** The metadata log may live in the same directory; it is not ours. */
const METADATA_LOG = '__cluster_metadata-0';

/**
 * Opens all logs of a directory, recovering those that an unclean stop left. A log that is damaged is there
 * and has its `failure` set; others are not touched by it. Throws EnvironmentError ('locked' when another
 * process has the directory), CorruptionError when a checkpoint file is damaged.
 */
export async function openLogManager(options: LogManagerOptions): Promise<LogManager> {
  const { directory } = options;
  const { files } = options.environment;
  await makeDurableDirectory(files, directory);
  const lock = await files.lock(`${directory}/${LOCK}`);
  let manager: LogManager | undefined;
  try {
    const { clean, brokerEpoch } = await takeCleanShutdown(files, directory);
    manager = new LogManager(options, lock, clean ? brokerEpoch : NONE);
    await manager.load(clean);
    return manager;
  } catch (error) {
    await (manager ?? lock).release();
    throw error;
  }
}

export class LogManager {
  readonly #options: LogManagerOptions;
  readonly #lock: FileLock;
  readonly #around: LogSurroundings;
  readonly #logs = new Map<string, PartitionLog>();
  /** What the checkpoint files say at most: a save that failed may have replaced some of them. */
  #saved = new Map<string, LogCheckpoint>();
  readonly #saving = new JoinedRuns(() => this.#saveCheckpoints());
  readonly #cleaner: LogCleaner;
  /** Broker epoch of the last clean stop; -1: the last stop was not clean, or there was none. */
  readonly cleanShutdownEpoch: BrokerEpoch;

  /** See {@link openLogManager}. */
  constructor(options: LogManagerOptions, lock: FileLock, cleanShutdownEpoch: BrokerEpoch) {
    this.#options = options;
    this.#lock = lock;
    this.cleanShutdownEpoch = cleanShutdownEpoch;
    this.#around = {
      files: options.environment.files,
      logger: options.environment.logger,
      tailCache: new TailCache(options.tailCacheBytes),
      pool: new SegmentPool(options.openSegmentsMax ?? OPEN_SEGMENTS_MAX),
      saveCheckpoints: () => this.checkpointHighWatermarks(),
      lowerCheckpoints: (log) => this.#lowerCheckpoints(log),
    };
    this.#cleaner = new LogCleaner({
      random: options.environment.random,
      logger: options.environment.logger,
      logs: () => this.#logs.values(),
      saveCheckpoints: () => this.checkpointHighWatermarks(),
    });
  }

  find(topic: string, partition: PartitionId): PartitionLog | undefined {
    return this.#logs.get(topicPartitionKey(topic, partition));
  }

  /** Offline ones included. */
  all(): Iterable<PartitionLog> {
    return this.#logs.values();
  }

  /**
   * A new, empty log, durable when it resolves; or the one of the same topic id that is there already, with
   * this configuration. Rejects with ApiError INCONSISTENT_TOPIC_ID when another topic's log is in the
   * place, EnvironmentError.
   */
  async create(
    topic: string,
    partition: PartitionId,
    topicId: Uuid,
    config: LogConfig,
  ): Promise<PartitionLog> {
    const known = this.find(topic, partition);
    if (known !== undefined) {
      if (known.topicId !== topicId)
        throw new ApiError(
          'INCONSISTENT_TOPIC_ID',
          `the log of ${topic}-${partition} belongs to ${known.topicId}`,
        );
      known.config = config;
      return known;
    }
    const { files } = this.#around;
    const key = topicPartitionKey(topic, partition);
    const directory = `${this.#options.directory}/${key}`;
    // A log made anew under a name must not be held to the offsets of the one before.
    if (this.#saved.has(key)) await this.checkpointHighWatermarks();
    await files.makeDirectory(directory);
    await savePartitionMetadata(files, directory, topicId);
    await files.syncDirectory(this.#options.directory);
    const identity = { topic, partition, topicId, directory };
    const log = await openPartitionLog(
      identity,
      config,
      { checkpoint: NO_CHECKPOINT, clean: false },
      this.#around,
    );
    if (log.failure !== undefined) {
      await log.release();
      throw log.failure;
    }
    this.#logs.set(key, log);
    return log;
  }

  /**
   * Forgets the log and removes its files; a crash meanwhile leaves them whole, or to be removed at the
   * next start. Needs no room on the disk: it may be what makes room.
   */
  async delete(topic: string, partition: PartitionId): Promise<void> {
    await this.#remove(topic, partition, DELETED_SUFFIX);
  }

  /** Forgets the log and keeps its files, for a person to look at. Resolves with where they are. */
  setAside(topic: string, partition: PartitionId): Promise<string | undefined> {
    return this.#remove(topic, partition, STRAY_SUFFIX);
  }

  async #remove(topic: string, partition: PartitionId, suffix: string): Promise<string | undefined> {
    const log = this.find(topic, partition);
    if (log === undefined) return undefined;
    this.#logs.delete(topicPartitionKey(topic, partition));
    await log.release();
    return this.#moveAside(log.directory, suffix);
  }

  /** Saves high watermarks, recovery points and log starts of all logs. Rejects with EnvironmentError. */
  checkpointHighWatermarks(): Promise<void> {
    return this.#saving.run();
  }

  /** Compacts the logs that are due, one at a time; resolves when none is. Rejects with EnvironmentError. */
  compact(options: CleanerOptions): Promise<void> {
    return this.#cleaner.run(options);
  }

  /** Removes what retention no longer keeps. A log that fails at it goes offline and hinders no other. */
  async applyRetention(nowMs: WallMs): Promise<void> {
    for (const log of [...this.#logs.values()])
      if (log.failure === undefined) await log.applyRetention(nowMs).catch(() => {});
  }

  /**
   * Makes everything durable, closes the files and lets the directory go. Leaves the mark of a clean stop when
   * all that it vouches for is on disk. What the disk refuses meanwhile is a warning: the next start recovers
   * from what was saved before.
   */
  async close(options: { readonly brokerEpoch: BrokerEpoch }): Promise<void> {
    this.#cleaner.close();
    try {
      const clean = await Promise.all(Array.from(this.#logs.values(), (log) => log.close()));
      await this.checkpointHighWatermarks();
      if (clean.every(Boolean))
        await saveCleanShutdown(this.#around.files, this.#options.directory, options.brokerEpoch);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const { directory } = this.#options;
      const fields = { directory, reason: error.reason, error: error.message };
      this.#around.logger.warn(fields, 'the stop is not clean: the next start reads the logs again');
    } finally {
      await this.#lock.release();
    }
  }

  /** For openLogManager, which failed: lets go of everything as it is. */
  async release(): Promise<void> {
    await Promise.all(Array.from(this.#logs.values(), (log) => log.release()));
    await this.#lock.release();
  }

  /** For openLogManager: finds and opens the logs. `clean`: their files may be trusted. */
  async load(clean: boolean): Promise<void> {
    const { files } = this.#around;
    const { directory } = this.#options;
    this.#saved = await readCheckpoints(files, directory);
    const names = await files.list(directory);
    const loadNext = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) await this.#loadOne(name, clean);
    };
    // All of them end before anybody may let the directory go.
    const ends = await Promise.allSettled(Array.from({ length: LOADS_MAX }, loadNext));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #loadOne(name: string, clean: boolean): Promise<void> {
    const { files, logger } = this.#around;
    const directory = `${this.#options.directory}/${name}`;
    const match = LOG_DIRECTORY.exec(name);
    if (name === METADATA_LOG || (await files.stat(directory))?.kind !== 'directory') return;
    if (name.endsWith(DELETED_SUFFIX)) return files.removeDirectory(directory);
    if (match === null) return;
    const topicId = await readPartitionMetadata(files, directory);
    if (topicId === undefined) {
      logger.warn({ directory }, 'moved a log without topic id aside');
      await this.#moveAside(directory, STRAY_SUFFIX);
      return;
    }
    const identity = { topic: match[1] ?? '', partition: Number(match[2]), topicId, directory };
    const found = { checkpoint: this.#saved.get(name) ?? NO_CHECKPOINT, clean };
    this.#logs.set(name, await openPartitionLog(identity, this.#options.defaults, found, this.#around));
  }

  async #moveAside(directory: string, suffix: string): Promise<string> {
    const { files } = this.#around;
    const aside = `${directory}.${randomUuid(this.#options.environment.random)}${suffix}`;
    await files.rename(directory, aside);
    await files.syncDirectory(this.#options.directory);
    if (suffix === DELETED_SUFFIX) await files.removeDirectory(aside);
    return aside;
  }

  async #saveCheckpoints(): Promise<void> {
    const saved = new Map(Array.from(this.#logs, ([key, log]) => [key, this.#checkpointOf(key, log)]));
    this.#saved = highestOf(this.#saved, saved);
    await saveCheckpoints(this.#around.files, this.#options.directory, this.#logs.values(), saved);
    this.#saved = saved;
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
      await this.checkpointHighWatermarks();
  }
}

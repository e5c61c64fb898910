/**
 * All logs of a broker, over its data directories.
 *
 * A partition has its log in one directory. It is found in several when a directory comes back after its logs were made
 * anew elsewhere: which of them is the newer cannot be told from the files, the metadata say it; see {@link findAll}.
 * Source: Kafka's LogManager; KIP-112, KIP-858.
 */
import {
  ApiError,
  assert,
  type BrokerEpoch,
  EnvironmentError,
  type MonotonicMs,
  NONE,
  type PartitionId,
  type Uuid,
  type WallMs,
} from '../base/index.ts';
import { type Environment, type Logger, NO_METRICS } from '../env/index.ts';
import { type CleanerOptions, LogCleaner } from './compaction/log-cleaner.ts';
import type { DataDirectory } from './directory/data-directory.ts';
import { LogDirectory } from './directory/log-directory.ts';
import type { LogConfig } from './log-config.ts';
import { registerLogGauges, registerLogMetrics, registerLogSums } from './log-metrics.ts';
import { LoadProgress } from './open/load-progress.ts';
import type { PartitionLog } from './partition-log.ts';
import { TailCache } from './read/tail-cache.ts';
import { BoundedFiles } from './segment/bounded-files.ts';
import { SegmentPool } from './segment/segment-pool.ts';

export interface LogManagerOptions {
  /** The data directories, in the order of the configuration; made when missing. Not empty. */
  readonly directories: readonly DataDirectory[];
  /**
   * Without a clock the progress of a long start is not told, without metrics nothing is counted,
   * without timers files that are to be removed go at once.
   */
  readonly environment: Pick<Environment, 'files' | 'logger' | 'random'> &
    Partial<Pick<Environment, 'clock' | 'metrics' | 'timers'>>;
  /** For logs found on disk, until somebody sets their topic's. */
  readonly defaults: LogConfig;
  /** Memory for recent appends, over all logs. */
  readonly tailCacheBytes: number;
  /** Segment files that are kept open, over all logs. Besides them a hundred files or so are open at times. */
  readonly openSegmentsMax?: number;
}

/** Half of what a process may open by default on Linux: connections and the metadata need files as well. */
const OPEN_SEGMENTS_MAX = 512;
/** Other files of logs that are open at a time; more wait. */
const OTHER_FILES_MAX = 64;

/**
 * Opens all logs of the directories, recovering those that an unclean stop left. A log that is damaged is there
 * and has its `failure` set; others are not touched by it. So is every log of a directory that fails, and a directory
 * that cannot be opened is offline. Throws EnvironmentError when another process has a directory ('locked'), and when
 * none can be opened.
 */
export async function openLogManager(options: LogManagerOptions): Promise<LogManager> {
  const manager = new LogManager(options);
  try {
    await manager.open();
    return manager;
  } catch (error) {
    await manager.release();
    throw error;
  }
}

export class LogManager {
  readonly #directories: readonly LogDirectory[];
  readonly #cleaner: LogCleaner;
  readonly #listeners = new Set<(error: Error) => void>();
  readonly #logger: Logger;

  /** See {@link openLogManager}. */
  constructor(options: LogManagerOptions) {
    const { defaults, directories } = options;
    assert(directories.length > 0, 'there is a data directory');
    const { files, metrics = NO_METRICS, clock } = options.environment;
    const environment = { ...options.environment, files: new BoundedFiles(files, OTHER_FILES_MAX) };
    const tailCache = new TailCache(options.tailCacheBytes);
    const pool = new SegmentPool(files, options.openSegmentsMax ?? OPEN_SEGMENTS_MAX);
    const nowMs = (): MonotonicMs => clock?.monotonicMs() ?? 0;
    const progress = new LoadProgress(environment.logger, nowMs);
    const offlineDirectories = (): number => this.#directories.length - this.#online().length;
    registerLogGauges(metrics, { tailCache, pool, progress, offlineDirectories });
    registerLogSums(metrics, () => this.all());
    const surroundings = {
      environment,
      defaults,
      tailCache,
      pool,
      counters: registerLogMetrics(metrics, nowMs),
      progress,
      handleDirectoryFailure: (failure: Error) => {
        for (const listener of this.#listeners) listener(failure);
      },
    };
    this.#directories = directories.map((directory) => new LogDirectory(directory, surroundings));
    this.#logger = environment.logger;
    this.#cleaner = new LogCleaner({
      random: environment.random,
      logger: environment.logger,
      metrics,
      nowMs,
      logs: () => this.all(),
      saveCheckpoints: () => this.checkpointHighWatermarks(),
    });
  }

  /** Broker epoch of the last clean stop of all directories; -1: the last stop was not clean, or there was none. */
  get cleanShutdownEpoch(): BrokerEpoch {
    const [epoch = NONE, ...others] = this.#directories.map((directory) => directory.cleanShutdownEpoch);
    return others.every((other) => other === epoch) ? epoch : NONE;
  }

  /** Ids of the directories that can be used; those of a test may have none. */
  get onlineDirectories(): readonly Uuid[] {
    return this.#online().flatMap(({ id }) => id ?? []);
  }

  /** Known ids of those that have failed. A directory that could not be read at the start has none. */
  get offlineDirectories(): readonly Uuid[] {
    return this.#directories.flatMap(({ failure, id }) => (failure === undefined ? [] : (id ?? [])));
  }

  /** Offline ones included. */
  get directoryCount(): number {
    return this.#directories.length;
  }

  /** Why the first directory that is offline is; undefined: all can be used. */
  get directoryFailure(): Error | undefined {
    return this.#directories.find(({ failure }) => failure !== undefined)?.failure;
  }

  /** Path of the first directory that can be used, for what is kept once for all logs; undefined: there is none. */
  get homeDirectory(): string | undefined {
    return this.#online()[0]?.path;
  }

  /** False: nothing can be stored any more. */
  get isUsable(): boolean {
    return this.#online().length > 0;
  }

  /** Calls `listener` whenever a directory has failed and its logs are offline. Returns how to stop that. */
  onDirectoryFailure(listener: (error: Error) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The log of a partition; of several, the first that can be used. */
  find(topic: string, partition: PartitionId): PartitionLog | undefined {
    const found = this.findAll(topic, partition);
    return found.find(({ failure }) => failure === undefined) ?? found[0];
  }

  /** All logs under a name, in the order of the directories; one at most in each. Of one topic or of several. */
  findAll(topic: string, partition: PartitionId): PartitionLog[] {
    return this.#directories.flatMap((directory) => directory.find(topic, partition) ?? []);
  }

  /** Id of the directory a log is in. */
  directoryOf(log: PartitionLog): Uuid | undefined {
    return this.#holderOf(log)?.id;
  }

  #holderOf(log: PartitionLog): LogDirectory | undefined {
    return this.#directories.find((one) => one.find(log.topic, log.partition) === log);
  }

  /** Offline ones included. */
  *all(): Iterable<PartitionLog> {
    for (const directory of this.#directories) yield* directory.all();
  }

  /**
   * A new, empty log, durable when it resolves; or the one of the same topic id that is there already, with
   * this configuration. It is made in the directory `wanted`, else in the one with the fewest logs, the first of
   * several. Rejects with ApiError INCONSISTENT_TOPIC_ID when another topic's log is in the place, EnvironmentError.
   */
  async create(
    topic: string,
    partition: PartitionId,
    topicId: Uuid,
    config: LogConfig,
    wanted?: Uuid,
  ): Promise<PartitionLog> {
    const found = this.findAll(topic, partition);
    const known = found.find((log) => log.topicId === topicId);
    if (known !== undefined) {
      known.config = config;
      return known;
    }
    const other = found.find((log) => this.#holderOf(log)?.failure === undefined);
    if (other !== undefined)
      throw new ApiError(
        'INCONSISTENT_TOPIC_ID',
        `the log of ${topic}-${partition} belongs to ${other.topicId}`,
      );
    return this.#place(wanted).create({ topic, partition, topicId }, config);
  }

  #place(wanted: Uuid | undefined): LogDirectory {
    const online = this.#online();
    const asked = wanted === undefined ? undefined : online.find(({ id }) => id === wanted);
    if (asked !== undefined) return asked;
    const [first, ...others] = online;
    if (first === undefined) throw this.directoryFailure ?? new ApiError('KAFKA_STORAGE_ERROR');
    return others.reduce((best, one) => (one.logCount < best.logCount ? one : best), first);
  }

  /**
   * Forgets the logs under the name, or that of `topicId` alone; their files lose their name now and go after
   * file.delete.delay.ms. A crash meanwhile leaves them whole, or to be removed at the next start. Needs no room on the
   * disk: it may be what makes room. In a directory that is offline the files stay. Rejects with EnvironmentError.
   */
  async delete(topic: string, partition: PartitionId, topicId?: Uuid): Promise<void> {
    for (const log of this.findAll(topic, partition))
      if (topicId === undefined || log.topicId === topicId) await this.#holderOf(log)?.delete(log);
  }

  /**
   * Forgets the log and keeps its files, for a person to look at: those of a damaged log in place of what was set
   * aside of it before. Resolves with where they are; undefined: in their place, in a directory that is offline.
   * Rejects with EnvironmentError.
   */
  async setAside(log: PartitionLog): Promise<string | undefined> {
    return this.#holderOf(log)?.setAside(log);
  }

  /** Removes what {@link setAside} keeps of the damaged log of a partition that is no more. Rejects with EnvironmentError. */
  async removeDamaged(topic: string, partition: PartitionId): Promise<void> {
    for (const directory of this.#online()) await directory.removeDamaged({ topic, partition });
  }

  /** Saves high watermarks, recovery points and log starts of all logs. Rejects with EnvironmentError. */
  async checkpointHighWatermarks(): Promise<void> {
    const ends = await Promise.allSettled(this.#directories.map((directory) => directory.checkpoint()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Compacts the logs that are due, one at a time; resolves when none is. Rejects with EnvironmentError. */
  compact(options: CleanerOptions): Promise<void> {
    return this.#cleaner.run(options);
  }

  /**
   * Removes what retention no longer keeps. A log that fails at it is offline then and has said so; what the disk refuses
   * without that is a warning. Neither hinders another log; nor does a bug, which is thrown in the end.
   */
  async applyRetention(nowMs: WallMs): Promise<void> {
    const bugs: unknown[] = [];
    for (const log of [...this.all()]) {
      if (log.failure !== undefined) continue;
      try {
        await log.applyRetention(nowMs);
      } catch (error) {
        // Failed, or forgotten meanwhile.
        if (log.failure !== undefined || this.#holderOf(log) === undefined) continue;
        if (!(error instanceof ApiError)) bugs.push(error);
        else
          this.#logger.warn(
            { topic: log.topic, partition: log.partition, error: error.message },
            'retention could not be applied; trying again at the next check',
          );
      }
    }
    if (bugs.length > 0) throw bugs[0];
  }

  /**
   * Makes everything durable, closes the files and lets the directories go. Leaves the mark of a clean stop in each
   * where all that it vouches for is on disk. What a disk refuses meanwhile is a warning: the next start recovers
   * from what was saved before.
   */
  async close(options: { readonly brokerEpoch: BrokerEpoch }): Promise<void> {
    this.#cleaner.close();
    await Promise.all(this.#directories.map((directory) => directory.close(options.brokerEpoch)));
  }

  /** For openLogManager. */
  async open(): Promise<void> {
    const ends = await Promise.allSettled(this.#online().map((directory) => this.#open(directory)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    if (!this.isUsable && [...this.all()].length === 0) throw this.directoryFailure;
  }

  /** For openLogManager, which failed: lets go of everything as it is. */
  async release(): Promise<void> {
    await Promise.all(this.#directories.map((directory) => directory.release()));
  }

  async #open(directory: LogDirectory): Promise<void> {
    try {
      await directory.open();
    } catch (error) {
      // In use by another process: nothing is broken, and two of them must not go on.
      if (!(error instanceof EnvironmentError) || error.reason === 'locked') throw error;
      directory.fail(error);
    }
  }

  #online(): LogDirectory[] {
    return this.#directories.filter(({ failure }) => failure === undefined);
  }
}

import { ApiError, type BrokerEpoch, type PartitionId, type Uuid, type WallMs } from '../base/index.ts';
import { type Environment, NO_METRICS } from '../env/index.ts';
import { BoundedFiles } from './bounded-files.ts';
import { type CleanerOptions, LogCleaner } from './compaction/log-cleaner.ts';
import { LoadProgress } from './load-progress.ts';
import type { LogConfig } from './log-config.ts';
import { LogDirectory } from './log-directory.ts';
import { registerLogGauges, registerLogMetrics, registerLogSums } from './log-metrics.ts';
import type { PartitionLog } from './partition-log.ts';
import { SegmentPool } from './segment-pool.ts';
import { TailCache } from './tail-cache.ts';

export interface LogManagerOptions {
  /** The data directory; made when missing. */
  readonly directory: string;
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
 * Opens all logs of a directory, recovering those that an unclean stop left. A log that is damaged is there
 * and has its `failure` set; others are not touched by it. Throws EnvironmentError ('locked' when another
 * process has the directory), CorruptionError when a checkpoint file is damaged.
 */
export async function openLogManager(options: LogManagerOptions): Promise<LogManager> {
  const { defaults } = options;
  const { files } = options.environment;
  const environment = { ...options.environment, files: new BoundedFiles(files, OTHER_FILES_MAX) };
  const tailCache = new TailCache(options.tailCacheBytes);
  const pool = new SegmentPool(files, options.openSegmentsMax ?? OPEN_SEGMENTS_MAX);
  const { metrics = NO_METRICS, clock } = options.environment;
  const progress = new LoadProgress(environment.logger, () => clock?.monotonicMs() ?? 0);
  const counters = registerLogMetrics(metrics, () => clock?.monotonicMs() ?? 0);
  registerLogGauges(metrics, { tailCache, pool, progress });
  const shared = { environment, defaults, tailCache, pool, counters, progress };
  const directory = new LogDirectory(options.directory, shared);
  await directory.open();
  registerLogSums(metrics, () => directory.all());
  return new LogManager(directory, environment);
}

export class LogManager {
  readonly #directory: LogDirectory;
  readonly #cleaner: LogCleaner;

  /** See {@link openLogManager}. */
  constructor(directory: LogDirectory, { logger, random }: LogManagerOptions['environment']) {
    this.#directory = directory;
    this.#cleaner = new LogCleaner({
      random,
      logger,
      logs: () => this.all(),
      saveCheckpoints: () => this.checkpointHighWatermarks(),
    });
  }

  /** Broker epoch of the last clean stop; -1: the last stop was not clean, or there was none. */
  get cleanShutdownEpoch(): BrokerEpoch {
    return this.#directory.cleanShutdownEpoch;
  }

  find(topic: string, partition: PartitionId): PartitionLog | undefined {
    return this.#directory.find(topic, partition);
  }

  /** Offline ones included. */
  all(): Iterable<PartitionLog> {
    return this.#directory.all();
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
    if (known === undefined) return this.#directory.create(topic, partition, topicId, config);
    if (known.topicId !== topicId)
      throw new ApiError(
        'INCONSISTENT_TOPIC_ID',
        `the log of ${topic}-${partition} belongs to ${known.topicId}`,
      );
    known.config = config;
    return known;
  }

  /**
   * Forgets the log; its files lose their name now and go after file.delete.delay.ms. A crash meanwhile leaves
   * them whole, or to be removed at the next start. Needs no room on the disk: it may be what makes room.
   */
  async delete(topic: string, partition: PartitionId): Promise<void> {
    const log = this.find(topic, partition);
    if (log !== undefined) await this.#directory.delete(log);
  }

  /** Forgets the log and keeps its files, for a person to look at. Resolves with where they are. */
  async setAside(topic: string, partition: PartitionId): Promise<string | undefined> {
    const log = this.find(topic, partition);
    return log === undefined ? undefined : this.#directory.setAside(log);
  }

  /** Saves high watermarks, recovery points and log starts of all logs. Rejects with EnvironmentError. */
  checkpointHighWatermarks(): Promise<void> {
    return this.#directory.checkpoint();
  }

  /** Compacts the logs that are due, one at a time; resolves when none is. Rejects with EnvironmentError. */
  compact(options: CleanerOptions): Promise<void> {
    return this.#cleaner.run(options);
  }

  /** Removes what retention no longer keeps. A log that fails at it goes offline and hinders no other. */
  async applyRetention(nowMs: WallMs): Promise<void> {
    for (const log of [...this.all()])
      if (log.failure === undefined) await log.applyRetention(nowMs).catch(() => {});
  }

  /**
   * Makes everything durable, closes the files and lets the directory go. Leaves the mark of a clean stop when
   * all that it vouches for is on disk. What the disk refuses meanwhile is a warning: the next start recovers
   * from what was saved before.
   */
  close(options: { readonly brokerEpoch: BrokerEpoch }): Promise<void> {
    this.#cleaner.close();
    return this.#directory.close(options.brokerEpoch);
  }
}

import type { MonotonicMs } from '../base/index.ts';
import type { Metrics } from '../env/index.ts';
import type { LoadProgress } from './open/load-progress.ts';
import type { TailCache } from './read/tail-cache.ts';
import type { SegmentPool } from './segment/segment-pool.ts';

/** From a disk with a cache of its own to one in trouble. */
const FLUSH_BUCKETS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000];

/** Counts what the logs of a broker cost. */
export interface LogCounters {
  /** A batch came in, produced or copied from a leader. */
  appended(bytes: number): void;
  /** A produced batch was there already: its producer had not heard of it. */
  repeated(): void;
  /** Runs a sync, and notes how long it takes. */
  timeFlush(flush: () => Promise<void>): Promise<void>;
  readTail(bytes: number): void;
  readFile(bytes: number): void;
}

/** What an operator sees of the logs. The hit rate of the tail is hits by hits and misses. */
export function registerLogMetrics(metrics: Metrics, nowMs: () => MonotonicMs): LogCounters {
  const batches = metrics.counter('log_append_batches_total', 'record batches appended, produced or copied');
  const bytes = metrics.counter(
    'log_append_bytes_total',
    'bytes of record batches appended, produced or copied',
  );
  const repetitions = metrics.counter(
    'log_append_repetitions_total',
    'produced batches that were there already, and were acknowledged again',
  );
  const flushMs = metrics.histogram('log_flush_ms', 'how long a sync of a log takes', FLUSH_BUCKETS_MS);
  const hits = metrics.counter('log_tail_hit_bytes_total', 'bytes read from memory');
  const misses = metrics.counter('log_tail_miss_bytes_total', 'bytes read from files');
  return {
    appended(size) {
      batches.add(1);
      bytes.add(size);
    },
    repeated: () => repetitions.add(1),
    async timeFlush(flush) {
      const beganMs = nowMs();
      await flush();
      flushMs.observe(nowMs() - beganMs);
    },
    readTail: (bytes) => hits.add(bytes),
    readFile: (bytes) => misses.add(bytes),
  };
}

export interface LogGauges {
  readonly tailCache: TailCache;
  readonly pool: SegmentPool;
  readonly progress: LoadProgress;
  readonly offlineDirectories: () => number;
}

/** The state of what the logs share; read when somebody looks. */
export function registerLogGauges(
  metrics: Metrics,
  { tailCache, pool, progress, offlineDirectories }: LogGauges,
): void {
  metrics.gauge('log_tail_bytes', 'memory of recent appends', () => tailCache.sizeBytes);
  metrics.gauge(
    'log_read_ahead_bytes',
    'memory of what was read of files ahead of readers',
    () => pool.readAhead.sizeBytes,
  );
  metrics.gauge('log_segments_open', 'segment files that are open', () => pool.openCount);
  metrics.gauge(
    'log_directories_offline',
    'data directories that failed, or could not be used at the start',
    offlineDirectories,
  );
  metrics.gauge('log_loading_logs', 'logs that are not yet opened at this start', () => progress.logsLeft);
  metrics.gauge('log_recovery_left_bytes', 'bytes that are still to be read again', () => progress.bytesLeft);
}

/** What is asked of each log. */
export interface ObservedLog {
  readonly sizeBytes: number;
  readonly segmentCount: number;
  readonly failure: Error | undefined;
}

/** Sums over all logs: a figure for each would be more than a scrape should carry. */
export function registerLogSums(metrics: Metrics, logs: () => Iterable<ObservedLog>): void {
  const sum = (name: string, help: string, of: (log: ObservedLog) => number): void =>
    metrics.gauge(name, help, () => {
      let total = 0;
      for (const log of logs()) total += of(log);
      return total;
    });
  sum('log_size_bytes', 'bytes of all segments', ({ sizeBytes }) => sizeBytes);
  sum('log_segments', 'segments of all logs', ({ segmentCount }) => segmentCount);
  sum('log_offline', 'logs that are damaged or whose disk failed', ({ failure }) =>
    failure === undefined ? 0 : 1,
  );
}

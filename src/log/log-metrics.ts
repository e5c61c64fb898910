import type { Metrics } from '../env/index.ts';
import type { LoadProgress } from './load-progress.ts';
import type { SegmentPool } from './segment-pool.ts';
import type { TailCache } from './tail-cache.ts';

/** Counts what the logs of a broker cost; for reads from the tail and from files. */
export interface LogCounters {
  readTail(bytes: number): void;
  readFile(bytes: number): void;
}

/** What an operator sees of the logs. The hit rate of the tail is hits by hits and misses. */
export function registerLogMetrics(metrics: Metrics): LogCounters {
  const hits = metrics.counter('log_tail_hit_bytes_total', 'bytes read from memory');
  const misses = metrics.counter('log_tail_miss_bytes_total', 'bytes read from files');
  return {
    readTail: (bytes) => hits.add(bytes),
    readFile: (bytes) => misses.add(bytes),
  };
}

/** The state of what the logs share; read when somebody looks. */
export function registerLogGauges(
  metrics: Metrics,
  { tailCache, pool, progress }: { tailCache: TailCache; pool: SegmentPool; progress: LoadProgress },
): void {
  metrics.gauge('log_tail_bytes', 'memory of recent appends', () => tailCache.sizeBytes);
  metrics.gauge('log_segments_open', 'segment files that are open', () => pool.openCount);
  metrics.gauge('log_loading_logs', 'logs that are not yet opened at this start', () => progress.logsLeft);
  metrics.gauge('log_recovery_left_bytes', 'bytes that are still to be read again', () => progress.bytesLeft);
}

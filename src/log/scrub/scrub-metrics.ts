import { NONE, type WallMs } from '../../base/index.ts';
import type { Counter, Metrics } from '../../env/index.ts';

export interface ScrubMetrics {
  readonly bytes: Counter;
  readonly bad: Counter;
  readonly indexes: Counter;
}

export function registerScrubMetrics(metrics: Metrics, endedMs: () => WallMs | undefined): ScrubMetrics {
  metrics.gauge(
    'log_scrub_last_round_end_ms',
    'when every closed segment had last been read, in Unix milliseconds; -1: never',
    () => endedMs() ?? NONE,
  );
  return {
    bytes: metrics.counter('log_scrub_bytes_total', 'bytes of closed segments that were read and checked'),
    bad: metrics.counter('log_scrub_batches_bad_total', 'damaged batches found; each takes its log offline'),
    indexes: metrics.counter('log_scrub_indexes_renewed_total', 'index files that were wrong and made anew'),
  };
}

/** What an operator sees of the cleaner. Source: the gauges of Kafka's LogCleaner and LogCleanerManager. */
import type { MonotonicMs } from '../../base/index.ts';
import type { Metrics } from '../../env/index.ts';
import type { CleanedOutcome } from './cleaning-outcome.ts';

/** What one look for logs to compact came to. */
export interface CleanerLook {
  /** Of the dirtiest log that was due or not, 0 to 1. */
  readonly dirtyRatio: number;
  /** Longest time by which a log has passed its max.compaction.lag.ms. */
  readonly delayMs: number;
}

export interface CleanerMetricsPorts {
  readonly metrics: Metrics;
  readonly nowMs: () => MonotonicMs;
  /** The logs whose last cleaning failed. */
  readonly uncleanable: () => Iterable<{ readonly sizeBytes: number }>;
}

export class CleanerMetrics {
  readonly #nowMs: () => MonotonicMs;
  #look: CleanerLook = { dirtyRatio: 0, delayMs: 0 };
  /** Of the last log that was compacted. */
  #last = { tookMs: 0, keyMapUsed: 0, bytesBefore: 0, bytesAfter: 0 };
  #lookedMs: MonotonicMs | undefined;

  constructor({ metrics, nowMs, uncleanable }: CleanerMetricsPorts) {
    this.#nowMs = nowMs;
    const percent = (share: number): number => Math.round(share * 100);
    metrics.gauge(
      'log_cleaner_max_clean_time_ms',
      'how long the last compaction of a log took',
      () => this.#last.tookMs,
    );
    metrics.gauge('log_cleaner_max_dirty_percent', 'dirty part of the dirtiest log at the last look', () =>
      percent(this.#look.dirtyRatio),
    );
    metrics.gauge(
      'log_cleaner_max_buffer_utilization_percent',
      'part of the memory for keys that the last compaction used',
      () => percent(this.#last.keyMapUsed),
    );
    metrics.gauge('log_cleaner_recopy_percent', 'part of what the last compaction read that it kept', () => {
      const { bytesBefore, bytesAfter } = this.#last;
      return bytesBefore === 0 ? 0 : percent(bytesAfter / bytesBefore);
    });
    metrics.gauge(
      'log_cleaner_time_since_last_run_ms',
      'since the last look for logs to compact; -1: there was none',
      () => (this.#lookedMs === undefined ? -1 : this.#nowMs() - this.#lookedMs),
    );
    metrics.gauge(
      'log_cleaner_max_compaction_delay_ms',
      'longest time by which a log had passed its max.compaction.lag.ms at the last look',
      () => this.#look.delayMs,
    );
    metrics.gauge(
      'log_cleaner_uncleanable_partitions',
      'logs whose last compaction failed',
      () => [...uncleanable()].length,
    );
    metrics.gauge('log_cleaner_uncleanable_bytes', 'bytes of the logs whose last compaction failed', () => {
      let bytes = 0;
      for (const { sizeBytes } of uncleanable()) bytes += sizeBytes;
      return bytes;
    });
  }

  looked(look: CleanerLook): void {
    this.#look = look;
    this.#lookedMs = this.#nowMs();
  }

  cleaned({ keyMapUsed, bytesBefore, bytesAfter }: CleanedOutcome, tookMs: number): void {
    this.#last = { tookMs, keyMapUsed, bytesBefore, bytesAfter };
  }
}

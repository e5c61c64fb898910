import { splitList, TOPIC_CONFIG_KEYS } from '../base/index.ts';
import type { CompressionType, TimestampType } from './record/index.ts';

/**
 * What the log of a partition is told by its topic's configuration; each field is the key of the same name.
 */
export interface LogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  readonly maxMessageBytes: number;
  /** cleanup.policy holds compact: records give way to newer ones of their key. */
  readonly compacts: boolean;
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly deleteRetentionMs: number;
  readonly fileDeleteDelayMs: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  /** -1: no limit. */
  readonly retentionBytes: number;
  /** cleanup.policy holds delete: records may go by age, by size and on request. */
  readonly deletes: boolean;
  readonly compressionType: CompressionType | 'producer';
  readonly timestampType: TimestampType;
  /** How far a CreateTime may lie before and after the clock of the broker. */
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  /** True: flushedOffset follows writtenOffset without a sync. */
  readonly writeCaching: boolean;
  readonly producerIdExpirationMs: number;
}

const PRODUCER_ID_EXPIRATION_MS = 86_400_000;

/**
 * From topic keys and values that configValueProblem has let pass; what is missing takes its default.
 * `producerIdExpirationMs` is a key of the broker, not of the topic.
 */
export function toLogConfig(
  values: Readonly<Record<string, string | undefined>>,
  producerIdExpirationMs = PRODUCER_ID_EXPIRATION_MS,
): LogConfig {
  const text = (key: string): string => values[key] ?? TOPIC_CONFIG_KEYS[key]?.default ?? '';
  const compression = text('compression.type');
  const policies = splitList(text('cleanup.policy'));
  const compacts = policies.includes('compact');
  const maxCompactionLagMs = Number(text('max.compaction.lag.ms'));
  const segmentMs = Number(text('segment.ms'));
  return {
    segmentBytes: Number(text('segment.bytes')),
    // Only closed segments are compacted.
    segmentJitterMs: Number(text('segment.jitter.ms')),
    segmentMs: compacts ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs,
    segmentIndexBytes: Number(text('segment.index.bytes')),
    indexIntervalBytes: Number(text('index.interval.bytes')),
    maxMessageBytes: Number(text('max.message.bytes')),
    compacts,
    minCleanableDirtyRatio: Number(text('min.cleanable.dirty.ratio')),
    minCompactionLagMs: Number(text('min.compaction.lag.ms')),
    maxCompactionLagMs,
    deleteRetentionMs: Number(text('delete.retention.ms')),
    fileDeleteDelayMs: Number(text('file.delete.delay.ms')),
    retentionMs: Number(text('retention.ms')),
    retentionBytes: Number(text('retention.bytes')),
    deletes: policies.includes('delete'),
    compressionType: compression === 'uncompressed' ? 'none' : (compression as CompressionType | 'producer'),
    timestampType: text('message.timestamp.type') as TimestampType,
    timestampBeforeMaxMs: Number(text('message.timestamp.before.max.ms')),
    timestampAfterMaxMs: Number(text('message.timestamp.after.max.ms')),
    writeCaching: text('write.caching') === 'true',
    producerIdExpirationMs,
  };
}

/** Kafka's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = toLogConfig({});

/**
 * What a broker is told by its configuration, parsed once from the table of keys in base.
 *
 * `properties` keeps the keys as they were written: they are the static layer of every effective topic config
 * (topic over broker over cluster default over static over built-in) and what `describeConfigs` shows as 'static'.
 */
import { SERVER_CONFIG_KEYS, StartupError } from '../base/index.ts';
import type { ScrubSettings } from '../log/index.ts';

export interface BrokerConfig {
  /** Keys that were set, in Kafka's spelling. */
  readonly properties: Readonly<Record<string, string>>;
  readonly heartbeatIntervalMs: number;
  readonly registrationTimeoutMs: number;
  readonly controlledShutdown: boolean;
  readonly controlledShutdownTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  /** Deadline of every call to another node that names no shorter one. */
  readonly requestTimeoutMs: number;
  readonly fetchMaxBytes: number;
  /** Bytes of requests the broker holds before it pushes back. */
  readonly inflightBytesMax: number;
  readonly tailCacheBytes: number;
  readonly openSegmentsMax: number;
  readonly replicaLagTimeMaxMs: number;
  readonly replicaFetchWaitMaxMs: number;
  readonly replicaFetchMinBytes: number;
  readonly replicaFetchMaxBytes: number;
  readonly replicaFetchResponseMaxBytes: number;
  readonly replicaFetchBackoffMs: number;
  readonly highWatermarkCheckpointIntervalMs: number;
  readonly retentionCheckIntervalMs: number;
  readonly cleanerEnabled: boolean;
  readonly cleanerBackoffMs: number;
  readonly cleanerKeyMapBytes: number;
  readonly cleanerBytesPerSecond: number;
  readonly scrub: ScrubSettings;
  readonly producerIdExpirationMs: number;
  readonly autoCreateTopics: boolean;
}

/** Reads the keys a broker uses; absent ones take their default of the table. Values must have been validated. */
export function brokerConfig(properties: Readonly<Record<string, string>>): BrokerConfig {
  const text = (name: string): string => {
    const value = properties[name] ?? SERVER_CONFIG_KEYS[name]?.default;
    if (value === undefined) throw new StartupError(`${name} has no value`);
    return value;
  };
  const number = (name: string): number => Number(text(name));
  const boolean = (name: string): boolean => text(name) === 'true';
  return {
    properties,
    heartbeatIntervalMs: number('broker.heartbeat.interval.ms'),
    registrationTimeoutMs: number('initial.broker.registration.timeout.ms'),
    controlledShutdown: boolean('controlled.shutdown.enable'),
    controlledShutdownTimeoutMs: number('controlled.shutdown.timeout.ms'),
    shutdownTimeoutMs: number('shutdown.timeout.ms'),
    requestTimeoutMs: number('request.timeout.ms'),
    fetchMaxBytes: number('fetch.max.bytes'),
    inflightBytesMax: number('max.inflight.bytes'),
    tailCacheBytes: number('log.tail.cache.bytes'),
    openSegmentsMax: number('log.open.segments.max'),
    replicaLagTimeMaxMs: number('replica.lag.time.max.ms'),
    replicaFetchWaitMaxMs: number('replica.fetch.wait.max.ms'),
    replicaFetchMinBytes: number('replica.fetch.min.bytes'),
    replicaFetchMaxBytes: number('replica.fetch.max.bytes'),
    replicaFetchResponseMaxBytes: number('replica.fetch.response.max.bytes'),
    replicaFetchBackoffMs: number('replica.fetch.backoff.ms'),
    highWatermarkCheckpointIntervalMs: number('replica.high.watermark.checkpoint.interval.ms'),
    retentionCheckIntervalMs: number('log.retention.check.interval.ms'),
    cleanerEnabled: boolean('log.cleaner.enable'),
    cleanerBackoffMs: number('log.cleaner.backoff.ms'),
    cleanerKeyMapBytes: number('log.cleaner.dedupe.buffer.size'),
    cleanerBytesPerSecond: number('log.cleaner.io.max.bytes.per.second'),
    scrub: {
      bytesPerSecond: number('log.scrub.bytes.per.second'),
      intervalMs: number('log.scrub.interval.ms'),
    },
    producerIdExpirationMs: number('producer.id.expiration.ms'),
    autoCreateTopics: boolean('auto.create.topics.enable'),
  };
}

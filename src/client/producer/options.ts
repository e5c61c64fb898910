import { StartupError } from '../../base/index.ts';
import type { CompressionType } from '../../log/record/index.ts';
import type { Acks } from '../../rpc/api/index.ts';
import type { Partitioner } from './partitioner.ts';

/** Kafka's producer settings under camel-case names. Every one has a default. */
export interface ProducerOptions {
  /**
   * When a record counts as written. 'all' (default): durable on min.insync.replicas replicas. 1: appended by
   * the leader. 0: no answer.
   */
  readonly acks?: 'all' | Acks;
  /**
   * Each record once and in order, however often it is retried. Default: true with acks=all, else not
   * possible.
   */
  readonly idempotence?: boolean;
  /**
   * How long a batch below `batchSize` waits for more. Default 0: what comes while requests are in flight
   * goes together anyway; 5 ms measured no more throughput and cost its time in latency.
   */
  readonly lingerMs?: number;
  /**
   * A batch of this many bytes does not linger, and keyless records then go to the next partition. Default
   * 16384.
   */
  readonly batchSize?: number;
  /** Bytes of records that are not acknowledged yet; `send` waits beyond it. Default 33554432. */
  readonly bufferMemory?: number;
  /** Bytes of one request, and with it of one record. Default 1048576. */
  readonly maxRequestSize?: number;
  /** Default 'none'. */
  readonly compression?: CompressionType;
  /**
   * Requests without an answer, per broker and of one partition: 1 to 5. Default 5; of one partition 1 when
   * records are repeated without idempotence, so that their order is kept.
   */
  readonly maxInFlight?: number;
  /** Longest wait for room in the buffer and for metadata of the topic. Default 60000. */
  readonly maxBlockMs?: number;
  /** A request without an answer for so long is taken as lost. Default 30000. */
  readonly requestTimeoutMs?: number;
  /** From `send` to the last attempt. Default 120000. */
  readonly deliveryTimeoutMs?: number;
  /**
   * First wait before a retry; doubles up to `retryBackoffMaxMs`. Default 100. A newly elected leader is
   * tried at once.
   */
  readonly retryBackoffMs?: number;
  /** Default 1000. */
  readonly retryBackoffMaxMs?: number;
  /** Overrules the choice of partitions. */
  readonly partitioner?: Partitioner;
}

/** The same with nothing left open. */
export interface ProducerConfig extends Required<Omit<ProducerOptions, 'acks' | 'partitioner'>> {
  readonly acks: Acks;
  /** Of `maxInFlight`, for one partition. */
  readonly partitionInFlight: number;
  readonly partitioner: Partitioner | undefined;
}

/**
 * A broker remembers the last five batches of a producer, so no more may be in doubt. Source: KIP-98,
 * KAFKA-5494.
 */
const IN_FLIGHT_MAX = 5;

/** Fills in defaults; throws StartupError for what cannot be. */
export function producerConfig(options: ProducerOptions): ProducerConfig {
  const acks = options.acks === undefined || options.acks === 'all' ? -1 : options.acks;
  const idempotence = options.idempotence ?? acks === -1;
  if (acks !== -1 && acks !== 0 && acks !== 1)
    throw new StartupError(`acks must be 'all', 1 or 0, not ${String(acks)}`);
  if (idempotence && acks !== -1)
    throw new StartupError(`idempotence needs acks 'all', not ${acks}: set idempotence to false`);
  const maxInFlight = options.maxInFlight ?? IN_FLIGHT_MAX;
  const repeats = !idempotence && acks !== 0;
  const config: ProducerConfig = {
    acks,
    idempotence,
    lingerMs: options.lingerMs ?? 0,
    batchSize: options.batchSize ?? 16_384,
    bufferMemory: options.bufferMemory ?? 33_554_432,
    maxRequestSize: options.maxRequestSize ?? 1_048_576,
    compression: options.compression ?? 'none',
    maxInFlight,
    partitionInFlight: options.maxInFlight ?? (repeats ? 1 : IN_FLIGHT_MAX),
    maxBlockMs: options.maxBlockMs ?? 60_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    retryBackoffMs: options.retryBackoffMs ?? 100,
    retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1000,
    partitioner: options.partitioner,
  };
  if (!Number.isInteger(maxInFlight) || maxInFlight < 1 || maxInFlight > IN_FLIGHT_MAX)
    throw new StartupError(`maxInFlight must be from 1 to ${IN_FLIGHT_MAX}, not ${maxInFlight}`);
  for (const [name, value] of Object.entries(config))
    if (typeof value === 'number' && name !== 'acks' && !(value >= 0))
      throw new StartupError(`${name} must be 0 or more, not ${value}`);
  return config;
}

/**
 * Records of one topic on their way into the queues of its partitions, in the order of the `send` calls.
 *
 * The fast way is synchronous: metadata known, room in the buffer. Otherwise the rest of the call waits here,
 * and what is sent to the topic later waits behind it.
 */
import {
  ApiError,
  assert,
  type MonotonicMs,
  type PartitionId,
  topicNameProblem,
  type WallMs,
} from '../../base/index.ts';
import { BATCH_HEADER_BYTES } from '../../log/record/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RecordInput } from '../types.ts';
import type { Delivery } from './delivery.ts';
import { recordBytesBound, toBytes, toHeaders } from './encode-record.ts';
import type { ProducerConfig } from './options.ts';
import { PartitionQueue } from './partition-queue.ts';
import { partitionForKey, StickyPartition } from './partitioner.ts';
import type { Sender } from './sender.ts';

/** A `send` whose records are not all in queues yet. */
export interface PendingSend {
  readonly records: readonly RecordInput[];
  /** First record that is not in a queue. */
  next: number;
  readonly delivery: Delivery;
  readonly sinceMs: MonotonicMs;
}

export class TopicLane {
  readonly topic: string;
  readonly pending: PendingSend[] = [];
  /** Metadata are being asked for. */
  preparing = false;
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #sender: Sender;
  readonly #queues: PartitionQueue[] = [];
  readonly #sticky: StickyPartition;

  constructor(topic: string, cluster: Cluster, config: ProducerConfig, sender: Sender) {
    this.topic = topic;
    this.#cluster = cluster;
    this.#config = config;
    this.#sender = sender;
    this.#sticky = new StickyPartition(cluster.environment.random, config.batchSize);
  }

  get isReady(): boolean {
    return this.#cluster.findTopic(this.topic) !== undefined;
  }

  /** Some record got in: the order of its partition is kept here, so the lane must stay. */
  get isUsed(): boolean {
    return this.#queues.length > 0;
  }

  /**
   * Puts records into queues while there is room; true: all are in and the delivery is sealed. A record that
   * can never be sent fails the delivery and is left out, the others go on.
   */
  admit(send: PendingSend, nowMs: MonotonicMs, wallMs: WallMs): boolean {
    const partitions = this.#cluster.findTopic(this.topic)?.partitions.length;
    assert(partitions !== undefined, 'records are admitted before the topic is known', { topic: this.topic });
    const { records, delivery } = send;
    while (send.next < records.length) {
      if (this.#sender.bufferedBytes >= this.#config.bufferMemory) return false;
      const record = records[send.next++] as RecordInput;
      try {
        this.#admitRecord(record, delivery, partitions, nowMs, wallMs);
      } catch (error) {
        delivery.expect();
        delivery.fail(error);
      }
    }
    delivery.seal();
    return true;
  }

  #admitRecord(
    record: RecordInput,
    delivery: Delivery,
    partitions: number,
    nowMs: MonotonicMs,
    wallMs: WallMs,
  ): void {
    const key = toBytes(record.key);
    const value = toBytes(record.value);
    const headers = toHeaders(record.headers);
    const bytes = recordBytesBound(key, value, headers);
    const { maxRequestSize } = this.#config;
    if (bytes + BATCH_HEADER_BYTES > maxRequestSize) {
      const message = `a record of about ${bytes} bytes for ${this.topic} is larger than maxRequestSize`;
      throw new ApiError('MESSAGE_TOO_LARGE', `${message} (${maxRequestSize})`);
    }
    const timestampMs = record.timestampMs ?? wallMs;
    if (!Number.isSafeInteger(timestampMs) || timestampMs < 0)
      throw new ApiError(
        'INVALID_TIMESTAMP',
        `timestampMs must be a whole number from 0, not ${timestampMs}`,
      );
    const partition = this.#partitionOf(record.partition, key, value, bytes, partitions);
    const queue = this.#queueOf(partition);
    this.#sender.added(queue, queue.append({ key, value, headers, timestampMs }, bytes, delivery, nowMs));
  }

  #partitionOf(
    wanted: PartitionId | undefined,
    key: Uint8Array | null,
    value: Uint8Array | null,
    bytes: number,
    partitions: number,
  ): PartitionId {
    const { partitioner } = this.#config;
    const chosen =
      wanted ??
      partitioner?.(
        { topic: this.topic, ...(key === null ? {} : { key }), ...(value === null ? {} : { value }) },
        partitions,
      );
    if (chosen === undefined) {
      if (key !== null) return partitionForKey(key, partitions);
      return this.#sticky.next(bytes, partitions, (partition) => this.#hasLeader(partition));
    }
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitions) return chosen;
    throw new ApiError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `${this.topic} has partitions 0 to ${partitions - 1}, not ${chosen}`,
    );
  }

  #hasLeader(partition: PartitionId): boolean {
    return this.#cluster.findLeader(this.topic, partition) !== undefined;
  }

  #queueOf(partition: PartitionId): PartitionQueue {
    const known = this.#queues[partition];
    if (known !== undefined) return known;
    const queue = new PartitionQueue(this.topic, partition, this.#config);
    this.#queues[partition] = queue;
    return queue;
  }
}

/** Throws INVALID_TOPIC_EXCEPTION when no topic can have this name. */
export function assertTopicName(topic: string): void {
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new ApiError('INVALID_TOPIC_EXCEPTION', problem);
}

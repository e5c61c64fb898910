import type { Offset, TopicPartition, WallMs } from '../../base/index.ts';
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP } from '../../rpc/api/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { listOffsets } from '../consumer/list-offsets.ts';

/**
 * `latest`: the first offset not yet committed. `max-timestamp`: of the first record with the largest timestamp. A
 * timestamp: of the first record that has it or a later one.
 */
export type OffsetTime = 'latest' | 'earliest' | 'max-timestamp' | { readonly timestampMs: WallMs };

export interface PartitionOffset extends TopicPartition {
  /** -1: no committed record is that late. */
  readonly offset: Offset;
  /** Of the record; -1 for `latest` and `earliest`, and where there is none. */
  readonly timestampMs: WallMs;
}

/** One answer per partition, ascending. Throws ApiError, as listOffsets of the consumer does. */
export async function listTopicOffsets(
  cluster: Cluster,
  topic: string,
  time: OffsetTime,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<readonly PartitionOffset[]> {
  const { partitions } = await cluster.topic(topic, options.timeoutMs, options.signal);
  const timestampMs = toTimestamp(time);
  const questions = partitions.map((_, partition) => ({ topic, partition, timestampMs }));
  const answers = await listOffsets(cluster, questions, { ...options, isolation: 'read_uncommitted' });
  return answers.map((answer) => ({
    topic,
    partition: answer.partition,
    offset: answer.offset,
    timestampMs: answer.timestampMs,
  }));
}

function toTimestamp(time: OffsetTime): number {
  if (typeof time === 'object') return time.timestampMs;
  if (time === 'latest') return LATEST_TIMESTAMP;
  return time === 'earliest' ? EARLIEST_TIMESTAMP : MAX_TIMESTAMP;
}

import type { Offset, TopicPartition } from '../../base/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import {
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListOffsetsOptions,
  listOffsets,
} from './list-offsets.ts';
import type { StartPosition } from './options.ts';

/** The offset that `start` stands for now. Throws like listOffsets. */
export async function findPosition(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  start: StartPosition,
  options: ListOffsetsOptions,
): Promise<Offset> {
  if (typeof start === 'object' && 'offset' in start) return start.offset;
  const ask = async (timestampMs: number): Promise<Offset> =>
    (await listOffsets(cluster, [{ topic, partition, timestampMs }], options))[0]?.offset ?? -1;
  if (start === 'beginning') return ask(EARLIEST_TIMESTAMP);
  if (start === 'end') return ask(LATEST_TIMESTAMP);
  const found = await ask(start.timestampMs);
  return found >= 0 ? found : ask(LATEST_TIMESTAMP);
}

/** Says which offsets a partition holds, for the message about one that it does not hold. */
export async function describeRange(
  cluster: Cluster,
  partition: TopicPartition,
  options: ListOffsetsOptions,
): Promise<string> {
  const name = `${partition.topic}-${partition.partition}`;
  try {
    const first = await findPosition(cluster, partition, 'beginning', options);
    const end = await findPosition(cluster, partition, 'end', options);
    return `${name} holds offsets from ${first} to before ${end}`;
  } catch {
    return `${name} holds other offsets`;
  }
}

/**
 * What a broker's coming or going does to partitions.
 *
 * Going: it leaves each in-sync set it is in (unless it is the last member) and leads no more. Coming: it is a candidate
 * for each partition without a leader. Unclean election applies where the topic allows it.
 * Cost: O(partitions of the cluster).
 */
import { NONE, type NodeId, type Uuid } from '../../base/index.ts';
import { buildPartitionChange, type ElectionMode } from '../election/index.ts';
import { directoryOf, isActiveReplica, isDirectoryOnline } from '../image/directories.ts';
import { effectiveTopicValue, type StaticConfig } from '../image/effective-config.ts';
import type { MetadataImage } from '../image/image.ts';
import type { PartitionRegistration } from '../image/partition.ts';
import type { TopicImage } from '../image/topics.ts';
import type { PartitionChangeRecord } from '../records/records.ts';

/** `brokerId` is about to be fenced, to shut down or to be unregistered. */
export function recordsForLeaving(
  image: MetadataImage,
  brokerId: NodeId,
  staticConfig: StaticConfig,
): PartitionChangeRecord[] {
  const isAcceptable: Acceptable = (partition, id) =>
    id !== brokerId && isActiveReplica(image.cluster, partition, id);
  return changes(image, staticConfig, isAcceptable, (partition) =>
    partition.isr.includes(brokerId) ? partition.isr.filter((id) => id !== brokerId) : undefined,
  );
}

/** Directories of `brokerId` have failed: its replicas there leave as if it were gone, all others stay. */
export function recordsForLostDirectories(
  image: MetadataImage,
  brokerId: NodeId,
  lost: ReadonlySet<Uuid>,
  staticConfig: StaticConfig,
): PartitionChangeRecord[] {
  const isLost = (partition: PartitionRegistration): boolean => lost.has(directoryOf(partition, brokerId));
  const isAcceptable: Acceptable = (partition, id) =>
    !(id === brokerId && isLost(partition)) && isActiveReplica(image.cluster, partition, id);
  return changes(image, staticConfig, isAcceptable, (partition) =>
    partition.isr.includes(brokerId) && isLost(partition)
      ? partition.isr.filter((id) => id !== brokerId)
      : undefined,
  );
}

/** `brokerId` is about to be unfenced; without one: for what may have become electable otherwise. */
export function recordsForLeaderless(
  image: MetadataImage,
  brokerId: NodeId | undefined,
  staticConfig: StaticConfig,
): PartitionChangeRecord[] {
  const isAcceptable: Acceptable = (partition, id) =>
    id === brokerId
      ? isDirectoryOnline(image.cluster, partition, id)
      : isActiveReplica(image.cluster, partition, id);
  return changes(image, staticConfig, isAcceptable, (partition) =>
    partition.leader === NONE ? partition.isr : undefined,
  );
}

/** How the leaders of `topic` are elected when nobody asks for anything special. */
export function electionMode(image: MetadataImage, topic: string, staticConfig: StaticConfig): ElectionMode {
  const { value } = effectiveTopicValue(image, topic, 'unclean.leader.election.enable', staticConfig);
  return value === 'true' ? 'unclean' : 'online';
}

type Acceptable = (partition: PartitionRegistration, id: NodeId) => boolean;

/** One record at most for each partition that `targetIsrOf` gives an in-sync set to have. */
function changes(
  image: MetadataImage,
  staticConfig: StaticConfig,
  isAcceptable: Acceptable,
  targetIsrOf: (partition: PartitionRegistration) => readonly NodeId[] | undefined,
): PartitionChangeRecord[] {
  const records: PartitionChangeRecord[] = [];
  const visit = (topic: TopicImage): void => {
    for (const [partitionId, partition] of topic.partitions.entries()) {
      const targetIsr = targetIsrOf(partition);
      if (targetIsr === undefined) continue;
      const mode = electionMode(image, topic.name, staticConfig);
      const record = buildPartitionChange({
        topicId: topic.id,
        partitionId,
        partition,
        targetIsr,
        isAcceptable: (id) => isAcceptable(partition, id),
        mode,
      });
      if (record !== undefined) records.push(record);
    }
  };
  for (const topic of image.topics.byName.values()) visit(topic);
  return records;
}

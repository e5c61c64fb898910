/**
 * What a metadata delta means for the replicas of one broker: which to delete, to lead, to follow.
 *
 * Pure. Deletes come first, since the same name may be created again in the same delta (KAFKA-13198). A registration that is
 * the very object applied before has not changed (images share structure).
 */
import type { NodeId, PartitionId, Uuid } from '../../base/index.ts';
import type { ImageDelta, PartitionRegistration, TopicImage } from '../../metadata/index.ts';

export interface LocalReplica {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partition: PartitionId;
  readonly registration: PartitionRegistration;
  /** Not there before this delta. */
  readonly isNew: boolean;
}

export interface LocalChanges {
  /** Hosted here and here no more; `topicDeleted` false: the replica moved elsewhere. */
  readonly deletes: readonly {
    topic: string;
    topicId: Uuid;
    partition: PartitionId;
    topicDeleted: boolean;
  }[];
  readonly leaders: readonly LocalReplica[];
  readonly followers: readonly LocalReplica[];
}

export function localChanges(delta: ImageDelta, nodeId: NodeId): LocalChanges {
  const deletes: LocalChanges['deletes'][number][] = [];
  const leaders: LocalReplica[] = [];
  const followers: LocalReplica[] = [];
  for (const topic of delta.deletedTopics.values())
    for (const [partition, { replicas }] of topic.partitions.entries())
      if (replicas.includes(nodeId)) deletes.push({ ...nameOf(topic), partition, topicDeleted: true });
  for (const topic of delta.changedTopics.values()) {
    const before = delta.previous.topics.findById(topic.id);
    for (const [partition, registration] of topic.partitions.entries()) {
      const old = before?.partitions[partition];
      if (old === registration) continue;
      const replica = { ...nameOf(topic), partition, registration, isNew: old === undefined };
      if (registration.leader === nodeId) leaders.push(replica);
      else if (registration.replicas.includes(nodeId)) followers.push(replica);
      else if (old?.replicas.includes(nodeId) === true)
        deletes.push({ ...nameOf(topic), partition, topicDeleted: false });
    }
  }
  return { deletes, leaders, followers };
}

function nameOf({ name, id }: TopicImage): { topic: string; topicId: Uuid } {
  return { topic: name, topicId: id };
}

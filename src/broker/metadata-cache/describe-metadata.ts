/**
 * The answer to a metadata request, from one image: what a client may know of brokers, topics and leaders.
 *
 * Fenced brokers are not listed, a leader on one is LEADER_NOT_AVAILABLE, and a replica on one is offline, as is a replica
 * whose data directory or log has failed.
 */
import { NONE, type PartitionId, topicNameProblem, ZERO_UUID } from '../../base/index.ts';
import type { MetadataImage, PartitionRegistration, TopicImage } from '../../metadata/index.ts';
import type {
  BrokerDescription,
  MetadataReply,
  MetadataRequest,
  PartitionDescription,
  TopicDescription,
} from '../../rpc/api/index.ts';
import { OK, refusal } from '../flow/outcome.ts';
import { isBrokerAway, isReplicaOffline, whyLeaderless } from './leaderless.ts';
import { listenerOf } from './partition-place.ts';

/** Topics one request may name; beyond it, ask for all or in parts. */
export const METADATA_TOPICS_MAX = 10_000;

export function describeMetadata(
  image: MetadataImage,
  request: MetadataRequest,
  cluster: Pick<MetadataReply, 'clusterId' | 'controllerId'>,
): MetadataReply {
  const names = request.topics ?? [...image.topics.byName.keys()].sort();
  return {
    ...cluster,
    brokers: describeBrokers(image),
    topics: names.map((name) => describeTopic(image, name)),
    metadataOffset: image.offset,
  };
}

function describeBrokers(image: MetadataImage): BrokerDescription[] {
  const brokers: BrokerDescription[] = [];
  for (const { id, fenced, rack } of image.cluster.brokers.values()) {
    const address = fenced ? undefined : listenerOf(image, id, 'client');
    if (address === undefined) continue;
    brokers.push({ nodeId: id, address, ...(rack === undefined ? {} : { rack }) });
  }
  return brokers.sort((a, b) => a.nodeId - b.nodeId);
}

function describeTopic(image: MetadataImage, name: string): TopicDescription {
  const topic = image.topics.find(name);
  if (topic === undefined) {
    const problem = topicNameProblem(name);
    const outcome =
      problem === undefined
        ? refusal('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`)
        : refusal('INVALID_TOPIC_EXCEPTION', problem);
    return { ...outcome, name, topicId: ZERO_UUID, partitions: [] };
  }
  return { ...OK, name, topicId: topic.id, partitions: describePartitions(image, topic) };
}

function describePartitions(image: MetadataImage, topic: TopicImage): PartitionDescription[] {
  return topic.partitions.map((registration, partition) =>
    describePartition(image, `${topic.name}-${partition}`, partition, registration),
  );
}

function describePartition(
  image: MetadataImage,
  label: string,
  partition: PartitionId,
  registration: PartitionRegistration,
): PartitionDescription {
  const { leader, leaderEpoch, partitionEpoch, replicas, isr } = registration;
  const leaderless = leader === NONE || isBrokerAway(image, leader);
  const outcome = leaderless
    ? refusal('LEADER_NOT_AVAILABLE', whyLeaderless(image, label, registration))
    : OK;
  return {
    ...outcome,
    partition,
    leaderId: leaderless ? NONE : leader,
    leaderEpoch,
    partitionEpoch,
    replicas,
    isr,
    offlineReplicas: replicas.filter((id) => isReplicaOffline(image, registration, id)),
  };
}

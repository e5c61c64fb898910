/**
 * A broker says in which of its directories replicas live. Replicas of a request pass or fail alone.
 *
 * One that lives in no directory that is online leaves the in-sync set and leads no more, by the rules of a broker that
 * goes. One that moves from a known directory to another (from a lost one too) holds another log than before: the leader
 * epoch rises, so that nothing the old log reported can bring the new one into the in-sync set. Source: KIP-858.
 */
import type { ErrorName, NodeId, Uuid } from '../../base/index.ts';
import { acceptEach, refuse } from '../../machine/index.ts';
import type {
  AssignedReplica,
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  DirectoryAssignment,
} from '../../rpc/api/index.ts';
import { buildPartitionChange } from '../election/index.ts';
import {
  directoryOf,
  isActiveReplica,
  isDirectoryOnline,
  UNASSIGNED_DIRECTORY,
} from '../image/directories.ts';
import { type MetadataImage, replay } from '../image/image.ts';
import type { PartitionRegistration } from '../image/partition.ts';
import type { TopicImage } from '../image/topics.ts';
import type { PartitionChangeRecord } from '../records/records.ts';
import { findIncarnation, staleEpochMessage } from './broker-epoch.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { electionMode } from './leadership.ts';

export function decideAssignDirectories(
  image: MetadataImage,
  request: AssignReplicasToDirsRequest,
  context: DecideContext,
): MetadataDecision<AssignReplicasToDirsReply> {
  const { brokerId, brokerEpoch } = request;
  if (findIncarnation(image, brokerId, brokerEpoch) === undefined)
    return refuse('STALE_BROKER_EPOCH', staleEpochMessage(image, brokerId, brokerEpoch));
  const records: PartitionChangeRecord[] = [];
  let after = image;
  const replicas = request.replicas.map((wanted): AssignedReplica => {
    const { topicId, partition: partitionId, directoryId } = wanted;
    const topic = after.topics.findById(topicId);
    const partition = topic?.partitions[partitionId];
    const problem = findProblem(brokerId, wanted, topic, partition);
    if (problem !== undefined || topic === undefined || partition === undefined)
      return { topicId, partition: partitionId, error: 'UNKNOWN_TOPIC_ID', ...problem };
    const record = changeOf(after, { brokerId, topic, partition, partitionId, directoryId }, context);
    if (record !== undefined) {
      records.push(record);
      after = replay(after, record);
    }
    return { topicId, partition: partitionId, error: 'NONE' };
  });
  return acceptEach(records, { replicas });
}

interface Move {
  readonly brokerId: NodeId;
  readonly topic: TopicImage;
  readonly partition: PartitionRegistration;
  readonly partitionId: number;
  readonly directoryId: Uuid;
}

function changeOf(
  image: MetadataImage,
  { brokerId, topic, partition, partitionId, directoryId }: Move,
  { config }: DecideContext,
): PartitionChangeRecord | undefined {
  const before = directoryOf(partition, brokerId);
  if (before === directoryId) return undefined;
  const { replicas, isr } = partition;
  const directories = partition.directories.map((id, i) => (replicas[i] === brokerId ? directoryId : id));
  const placed = { replicas, directories };
  const isOnline = isDirectoryOnline(image.cluster, placed, brokerId);
  return buildPartitionChange({
    topicId: topic.id,
    partitionId,
    partition,
    targetDirectories: directories,
    targetIsr: isOnline ? isr : isr.filter((id) => id !== brokerId),
    newLeaderEpoch: isOnline && before !== UNASSIGNED_DIRECTORY,
    isAcceptable: (id) => isActiveReplica(image.cluster, placed, id),
    mode: electionMode(image, topic.name, config.staticConfig),
  });
}

function findProblem(
  brokerId: NodeId,
  { topicId, partition: partitionId, directoryId }: DirectoryAssignment,
  topic: TopicImage | undefined,
  partition: PartitionRegistration | undefined,
): { readonly error: ErrorName; readonly errorMessage: string } | undefined {
  if (topic === undefined) return { error: 'UNKNOWN_TOPIC_ID', errorMessage: `no topic has id ${topicId}` };
  const label = `${topic.name}-${partitionId}`;
  if (partition === undefined)
    return { error: 'UNKNOWN_TOPIC_OR_PARTITION', errorMessage: `there is no partition ${label}` };
  if (!partition.replicas.includes(brokerId))
    return { error: 'NOT_LEADER_OR_FOLLOWER', errorMessage: `broker ${brokerId} is no replica of ${label}` };
  if (directoryId === UNASSIGNED_DIRECTORY)
    return { error: 'INVALID_REQUEST', errorMessage: `${directoryId} is no directory` };
  return undefined;
}

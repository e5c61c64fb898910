/**
 * A leader changes its in-sync set. Partitions of a request pass or fail alone.
 *
 * The leader speaks for an epoch it may have lost, about members that may have been fenced since: the epochs decide who
 * knows better, and every member is checked, the old ones too. Nobody is in sync who could not be elected.
 * Source: KIP-497, KIP-841 (fenced members), KIP-903 (stale broker epochs), KIP-858 (offline
 * directories).
 */
import { type ErrorName, NONE } from '../../base/index.ts';
import { acceptEach, refuse } from '../../machine/index.ts';
import type {
  AlteredPartition,
  AlterPartition,
  AlterPartitionReply,
  AlterPartitionRequest,
} from '../../rpc/api/index.ts';
import { buildPartitionChange } from '../election/index.ts';
import { directoryOf, isActiveReplica, isDirectoryOnline } from '../image/directories.ts';
import { type MetadataImage, replay } from '../image/image.ts';
import type { PartitionRegistration } from '../image/partition.ts';
import type { PartitionChangeRecord } from '../records/records.ts';
import { findIncarnation, staleEpochMessage } from './broker-epoch.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { electionMode } from './leadership.ts';

interface Problem {
  readonly code: ErrorName;
  readonly message: string;
}

export function decideAlterPartition(
  image: MetadataImage,
  request: AlterPartitionRequest,
  context: DecideContext,
): MetadataDecision<AlterPartitionReply> {
  const { brokerId, brokerEpoch } = request;
  if (findIncarnation(image, brokerId, brokerEpoch) === undefined)
    return refuse('STALE_BROKER_EPOCH', staleEpochMessage(image, brokerId, brokerEpoch));
  const records: PartitionChangeRecord[] = [];
  let after = image;
  const partitions = request.partitions.map((wanted): AlteredPartition => {
    const problem = findProblem(after, brokerId, wanted);
    if (problem !== undefined) return refused(wanted, problem);
    const record = changeOf(after, wanted, context);
    if (record !== undefined) {
      records.push(record);
      after = replay(after, record);
    }
    return altered(after, wanted);
  });
  return acceptEach(records, { partitions });
}

function changeOf(
  image: MetadataImage,
  { topicId, partition: partitionId, newIsr, leaderRecoveryState }: AlterPartition,
  { config }: DecideContext,
): PartitionChangeRecord | undefined {
  const topic = image.topics.findById(topicId);
  const partition = topic?.partitions[partitionId];
  if (topic === undefined || partition === undefined) return undefined;
  return buildPartitionChange({
    topicId,
    partitionId,
    partition,
    targetIsr: newIsr.map((member) => member.brokerId),
    targetRecoveryState: leaderRecoveryState,
    isAcceptable: (id) => isActiveReplica(image.cluster, partition, id),
    mode: electionMode(image, topic.name, config.staticConfig),
  });
}

function findProblem(image: MetadataImage, brokerId: number, wanted: AlterPartition): Problem | undefined {
  const topic = image.topics.findById(wanted.topicId);
  if (topic === undefined) return { code: 'UNKNOWN_TOPIC_ID', message: `no topic has id ${wanted.topicId}` };
  const partition = topic.partitions[wanted.partition];
  if (partition === undefined)
    return {
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: `topic ${topic.name} has no partition ${wanted.partition}`,
    };
  return (
    epochProblem(brokerId, wanted, partition) ??
    isrProblem(wanted, partition) ??
    memberProblem(image, wanted, partition)
  );
}

/** An epoch above ours means that this controller is the one who is behind. */
function epochProblem(
  brokerId: number,
  wanted: AlterPartition,
  { leader, leaderEpoch, partitionEpoch }: PartitionRegistration,
): Problem | undefined {
  if (wanted.leaderEpoch > leaderEpoch)
    return { code: 'NOT_CONTROLLER', message: `leader epoch ${wanted.leaderEpoch} is above ${leaderEpoch}` };
  if (wanted.partitionEpoch > partitionEpoch)
    return {
      code: 'NOT_CONTROLLER',
      message: `partition epoch ${wanted.partitionEpoch} is above ${partitionEpoch}`,
    };
  if (wanted.leaderEpoch < leaderEpoch)
    return {
      code: 'FENCED_LEADER_EPOCH',
      message: `leader epoch ${wanted.leaderEpoch} is below ${leaderEpoch}`,
    };
  if (brokerId !== leader)
    return { code: 'INVALID_REQUEST', message: `broker ${brokerId} does not lead; the leader is ${leader}` };
  if (wanted.partitionEpoch < partitionEpoch)
    return {
      code: 'INVALID_UPDATE_VERSION',
      message: `partition epoch ${wanted.partitionEpoch} is below ${partitionEpoch}`,
    };
  return undefined;
}

function isrProblem(
  { newIsr, leaderRecoveryState }: AlterPartition,
  { replicas, leader, leaderRecoveryState: present }: PartitionRegistration,
): Problem | undefined {
  const isr = newIsr.map((member) => member.brokerId);
  const message =
    isr.length === 0
      ? 'the in-sync set is empty'
      : new Set(isr).size < isr.length
        ? `the in-sync set ${isr} names a broker twice`
        : !isr.every((id) => replicas.includes(id))
          ? `the in-sync set ${isr} is not within the replicas ${replicas}`
          : !isr.includes(leader)
            ? `the in-sync set ${isr} lacks the leader ${leader}`
            : leaderRecoveryState === 'recovering' && isr.length > 1
              ? `a recovering leader is alone in sync, not with ${isr}`
              : leaderRecoveryState === 'recovering' && present === 'recovered'
                ? 'a recovered partition does not go back to recovering'
                : undefined;
  return message === undefined ? undefined : { code: 'INVALID_REQUEST', message };
}

function memberProblem(
  image: MetadataImage,
  { newIsr }: AlterPartition,
  partition: PartitionRegistration,
): Problem | undefined {
  for (const { brokerId, brokerEpoch } of newIsr) {
    const broker = image.cluster.brokers.get(brokerId);
    const reason =
      broker === undefined
        ? 'is not registered'
        : broker.fenced
          ? 'is fenced'
          : broker.inControlledShutdown
            ? 'is shutting down'
            : brokerEpoch !== NONE && brokerEpoch !== broker.epoch
              ? `is registered with epoch ${broker.epoch}, not ${brokerEpoch}`
              : isDirectoryOnline(image.cluster, partition, brokerId)
                ? undefined
                : `has the replica in ${directoryOf(partition, brokerId)}, which is offline`;
    if (reason !== undefined) return { code: 'INELIGIBLE_REPLICA', message: `broker ${brokerId} ${reason}` };
  }
  return undefined;
}

function altered(image: MetadataImage, { topicId, partition }: AlterPartition): AlteredPartition {
  const now = image.topics.findById(topicId)?.partitions[partition];
  return {
    topicId,
    partition,
    leaderId: now?.leader ?? NONE,
    leaderEpoch: now?.leaderEpoch ?? NONE,
    partitionEpoch: now?.partitionEpoch ?? NONE,
    isr: now?.isr ?? [],
    leaderRecoveryState: now?.leaderRecoveryState ?? 'recovered',
    error: 'NONE',
  };
}

function refused(wanted: AlterPartition, { code, message }: Problem): AlteredPartition {
  return {
    topicId: wanted.topicId,
    partition: wanted.partition,
    leaderId: NONE,
    leaderEpoch: NONE,
    partitionEpoch: NONE,
    isr: [],
    leaderRecoveryState: 'recovered',
    error: code,
    errorMessage: message,
  };
}

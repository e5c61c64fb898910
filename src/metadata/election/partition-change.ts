/**
 * The record that brings a partition from what it is to what it should be, or none when nothing differs.
 *
 * Laws: the last in-sync member is never removed: the partition goes without a leader, and only that member can be
 * elected cleanly when it returns. A record names a leader exactly when leadership changes, also to none, so that the
 * old leader is fenced by its epoch; a smaller or larger in-sync set under the same leader does not touch the leader epoch
 * (KAFKA-15021). An unclean winner is alone in sync and recovering. Source: Kafka's PartitionChangeBuilder.
 */
import type { NodeId, PartitionId, Uuid } from '../../base/index.ts';
import type { PartitionRegistration } from '../image/partition.ts';
import type { LeaderRecoveryState, PartitionChangeRecord } from '../records/records.ts';
import { type ElectionMode, elect } from './election.ts';

export interface WantedPartition {
  readonly topicId: Uuid;
  readonly partitionId: PartitionId;
  readonly partition: PartitionRegistration;
  /** Absent: the present one. May be empty, see above. */
  readonly targetIsr?: readonly NodeId[];
  readonly targetRecoveryState?: LeaderRecoveryState;
  /** One per replica, in their order; absent: the present ones. */
  readonly targetDirectories?: readonly Uuid[];
  /** True: the leader epoch rises although the leader stays, so that what was said in the present one counts no more. */
  readonly newLeaderEpoch?: boolean;
  readonly isAcceptable: (id: NodeId) => boolean;
  readonly mode: ElectionMode;
}

export function buildPartitionChange(wanted: WantedPartition): PartitionChangeRecord | undefined {
  const { topicId, partitionId, partition, isAcceptable, mode } = wanted;
  const targetIsr = wanted.targetIsr ?? partition.isr;
  const election = elect(
    { replicas: partition.replicas, targetIsr, currentLeader: partition.leader, isAcceptable },
    mode,
  );
  const isr = election.unclean ? [election.leader] : targetIsr;
  const recovery = election.unclean
    ? 'recovering'
    : (wanted.targetRecoveryState ?? partition.leaderRecoveryState);

  const directories = wanted.targetDirectories ?? partition.directories;
  const leaderChanges = election.leader !== partition.leader || wanted.newLeaderEpoch === true;
  const isrChanges = isr.length > 0 && !isSameSet(isr, partition.isr);
  const recoveryChanges = recovery !== partition.leaderRecoveryState;
  const directoriesChange = directories.some((id, index) => id !== partition.directories[index]);
  if (!leaderChanges && !isrChanges && !recoveryChanges && !directoriesChange) return undefined;
  return {
    kind: 'partition-change',
    partitionId,
    topicId,
    ...(isrChanges ? { isr } : {}),
    ...(leaderChanges ? { leader: election.leader } : {}),
    ...(recoveryChanges ? { leaderRecoveryState: recovery } : {}),
    ...(directoriesChange ? { directories } : {}),
  };
}

function isSameSet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/**
 * One partition as the controller decided it, and how a change merges into it.
 *
 * Laws: partitionEpoch rises with every change; leaderEpoch rises exactly with changes that name a leader, even the same
 * one; leader is -1 or in the ISR; the ISR is never empty and within the replicas.
 * Source: Kafka's PartitionRegistration.merge; KIP-455 (adding, removing), KIP-704 (recovery state), KIP-858 (directories).
 */
import {
  type LeaderEpoch,
  NONE,
  type NodeId,
  type PartitionEpoch,
  type PartitionId,
  type Uuid,
} from '../../base/index.ts';
import type { LeaderRecoveryState, PartitionChangeRecord, PartitionRecord } from '../records/records.ts';
import { ReplayError } from './errors.ts';

export interface PartitionRegistration {
  /** The first one is the preferred leader. */
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly addingReplicas: readonly NodeId[];
  readonly removingReplicas: readonly NodeId[];
  /** One per replica, in their order. */
  readonly directories: readonly Uuid[];
  /** -1: none. */
  readonly leader: NodeId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly leaderRecoveryState: LeaderRecoveryState;
}

export function toPartition(record: PartitionRecord): PartitionRegistration {
  const { kind: _, partitionId: _id, topicId: _topic, ...partition } = record;
  checkPartition(record, partition);
  return partition;
}

export function mergePartition(
  old: PartitionRegistration,
  change: PartitionChangeRecord,
): PartitionRegistration {
  const partition: PartitionRegistration = {
    replicas: change.replicas ?? old.replicas,
    isr: change.isr ?? old.isr,
    addingReplicas: change.addingReplicas ?? old.addingReplicas,
    removingReplicas: change.removingReplicas ?? old.removingReplicas,
    directories: change.directories ?? old.directories,
    leader: change.leader ?? old.leader,
    leaderEpoch: change.leader === undefined ? old.leaderEpoch : old.leaderEpoch + 1,
    partitionEpoch: old.partitionEpoch + 1,
    leaderRecoveryState: change.leaderRecoveryState ?? old.leaderRecoveryState,
  };
  checkPartition(change, partition);
  return partition;
}

export function partitionRecord(
  topicId: Uuid,
  partitionId: PartitionId,
  partition: PartitionRegistration,
): PartitionRecord {
  return { kind: 'partition', partitionId, topicId, ...partition };
}

function checkPartition(
  record: PartitionRecord | PartitionChangeRecord,
  { replicas, isr, leader, directories }: PartitionRegistration,
): void {
  const problem =
    isr.length === 0
      ? 'an empty in-sync set'
      : !isr.every((id) => replicas.includes(id))
        ? `in-sync set ${isr} outside of the replicas ${replicas}`
        : leader !== NONE && !isr.includes(leader)
          ? `leader ${leader} outside of the in-sync set ${isr}`
          : directories.length !== replicas.length
            ? `${directories.length} directories for ${replicas.length} replicas`
            : undefined;
  if (problem !== undefined)
    throw new ReplayError(`${record.kind} of ${record.topicId}-${record.partitionId} has ${problem}`);
}

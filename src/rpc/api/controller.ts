import type {
  BrokerEpoch,
  LeaderEpoch,
  NodeId,
  Offset,
  PartitionEpoch,
  PartitionId,
  ProducerId,
  Uuid,
} from '../../base/index.ts';
import type { Address, Outcome } from './common.ts';

export interface RegisterBrokerRequest {
  readonly clusterId: Uuid;
  readonly brokerId: NodeId;
  /** Random per process start. */
  readonly incarnationId: Uuid;
  /** `client`: what clients are told. `replica`: for other brokers only. */
  readonly listeners: readonly BrokerListener[];
  readonly rack?: string;
  readonly logDirs: readonly Uuid[];
  readonly features: readonly { readonly name: string; readonly min: number; readonly max: number }[];
  /** Epoch of the clean shutdown this start follows; -1: it was not clean (KIP-966). */
  readonly previousBrokerEpoch: BrokerEpoch;
}

export interface BrokerListener extends Address {
  readonly name: 'client' | 'replica';
}

export interface RegisterBrokerReply {
  readonly brokerEpoch: BrokerEpoch;
}

/** A frame of the session stream. The stream's end is noticed at once; see broker.disconnect.grace.ms. */
export interface BrokerHeartbeat {
  readonly correlationId: number;
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  /** The broker has published everything below this metadata offset. */
  readonly currentMetadataOffset: Offset;
  readonly wantFence: boolean;
  readonly wantShutdown: boolean;
  /** Data directories of this incarnation that have failed since it registered, in any order; it never takes one back. */
  readonly offlineLogDirs: readonly Uuid[];
}

export interface BrokerHeartbeatReply extends Outcome {
  readonly correlationId: number;
  readonly isCaughtUp: boolean;
  readonly isFenced: boolean;
  readonly shouldShutdown: boolean;
}

export interface AlterPartitionRequest {
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly partitions: readonly AlterPartition[];
}

export interface AlterPartition {
  readonly topicId: Uuid;
  readonly partition: PartitionId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  /** The whole new set, each member with the broker epoch of its last fetch (-1: unknown). */
  readonly newIsr: readonly { readonly brokerId: NodeId; readonly brokerEpoch: BrokerEpoch }[];
  readonly leaderRecoveryState: 'recovered' | 'recovering';
}

export interface AlterPartitionReply {
  /** In the order of the request. A wrong broker epoch refuses the whole call with STALE_BROKER_EPOCH. */
  readonly partitions: readonly AlteredPartition[];
}

export interface AlteredPartition extends Outcome {
  readonly topicId: Uuid;
  readonly partition: PartitionId;
  readonly leaderId: NodeId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly isr: readonly NodeId[];
  readonly leaderRecoveryState: 'recovered' | 'recovering';
}

/** Where replicas of a broker live (KIP-858). */
export interface AssignReplicasToDirsRequest {
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly replicas: readonly DirectoryAssignment[];
}

export interface DirectoryAssignment {
  readonly topicId: Uuid;
  readonly partition: PartitionId;
  /** One of the broker's directories, or the reserved id of a lost one. */
  readonly directoryId: Uuid;
}

export interface AssignReplicasToDirsReply {
  /** In the order of the request. A wrong broker epoch refuses the whole call with STALE_BROKER_EPOCH. */
  readonly replicas: readonly AssignedReplica[];
}

export interface AssignedReplica extends Outcome {
  readonly topicId: Uuid;
  readonly partition: PartitionId;
}

export interface AllocateProducerIdsRequest {
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
}

export interface AllocateProducerIdsReply {
  readonly firstProducerId: ProducerId;
  readonly count: number;
}

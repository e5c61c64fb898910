/**
 * The records of the metadata log: the only way the cluster's metadata changes.
 *
 * Types here, their bytes in tables.ts, their meaning in ../image. Names and meaning are Kafka's
 * (metadata/src/main/resources/common/metadata). In a change record an absent field means "no change".
 */
import type {
  BrokerEpoch,
  LeaderEpoch,
  NodeId,
  PartitionEpoch,
  PartitionId,
  ProducerId,
  Uuid,
} from '../../base/index.ts';
import type { BrokerListener, ConfigResourceType } from '../../rpc/api/index.ts';

export type LeaderRecoveryState = 'recovered' | 'recovering';

/** Levels of one feature that a node can work with, both inclusive. */
export interface FeatureRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export interface RegisterBrokerRecord {
  readonly kind: 'register-broker';
  readonly brokerId: NodeId;
  readonly incarnationId: Uuid;
  readonly brokerEpoch: BrokerEpoch;
  readonly listeners: readonly BrokerListener[];
  readonly features: readonly FeatureRange[];
  readonly rack?: string;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly logDirs: readonly Uuid[];
}

export interface UnregisterBrokerRecord {
  readonly kind: 'unregister-broker';
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
}

export interface TopicRecord {
  readonly kind: 'topic';
  readonly name: string;
  readonly topicId: Uuid;
}

export interface PartitionRecord {
  readonly kind: 'partition';
  readonly partitionId: PartitionId;
  readonly topicId: Uuid;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly removingReplicas: readonly NodeId[];
  readonly addingReplicas: readonly NodeId[];
  /** -1: none. */
  readonly leader: NodeId;
  readonly leaderRecoveryState: LeaderRecoveryState;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  /** One per replica, in their order. */
  readonly directories: readonly Uuid[];
}

export interface ConfigRecord {
  readonly kind: 'config';
  readonly resourceType: ConfigResourceType;
  readonly resourceName: string;
  readonly name: string;
  /** Absent: the key is removed. */
  readonly value?: string;
}

export interface PartitionChangeRecord {
  readonly kind: 'partition-change';
  readonly partitionId: PartitionId;
  readonly topicId: Uuid;
  readonly isr?: readonly NodeId[];
  /** -1: none. Present, even if equal to the current leader: the leader epoch rises. */
  readonly leader?: NodeId;
  readonly replicas?: readonly NodeId[];
  readonly removingReplicas?: readonly NodeId[];
  readonly addingReplicas?: readonly NodeId[];
  readonly leaderRecoveryState?: LeaderRecoveryState;
  readonly directories?: readonly Uuid[];
}

export interface RemoveTopicRecord {
  readonly kind: 'remove-topic';
  readonly topicId: Uuid;
}

export interface FeatureLevelRecord {
  readonly kind: 'feature-level';
  readonly name: string;
  /** 0: removed. */
  readonly featureLevel: number;
}

export interface ProducerIdsRecord {
  readonly kind: 'producer-ids';
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  /** End of the last allocated block, exclusive. */
  readonly nextProducerId: ProducerId;
}

export interface BrokerRegistrationChangeRecord {
  readonly kind: 'broker-registration-change';
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly fenced: 'none' | 'fence' | 'unfence';
  readonly inControlledShutdown: 'none' | 'in-controlled-shutdown';
  readonly logDirs?: readonly Uuid[];
}

/** Keeps the log moving while nothing happens, so that offsets can be compared. */
export interface NoOpRecord {
  readonly kind: 'no-op';
}

export type MetadataRecord =
  | RegisterBrokerRecord
  | UnregisterBrokerRecord
  | TopicRecord
  | PartitionRecord
  | ConfigRecord
  | PartitionChangeRecord
  | RemoveTopicRecord
  | FeatureLevelRecord
  | ProducerIdsRecord
  | BrokerRegistrationChangeRecord
  | NoOpRecord;

export type RecordKind = MetadataRecord['kind'];
export type RecordOf<K extends RecordKind> = Extract<MetadataRecord, { readonly kind: K }>;

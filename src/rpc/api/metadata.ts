import type {
  LeaderEpoch,
  NodeId,
  Offset,
  PartitionEpoch,
  PartitionId,
  ProducerId,
  Uuid,
} from '../../base/index.ts';
import type { Address, Outcome } from './common.ts';

export interface MetadataRequest {
  /** Absent: all topics. */
  readonly topics?: readonly string[];
}

export interface MetadataReply {
  readonly clusterId: Uuid;
  /** Active controller as the broker knows it; -1: none. */
  readonly controllerId: NodeId;
  /** Brokers that are alive (unfenced), by id. */
  readonly brokers: readonly BrokerDescription[];
  readonly topics: readonly TopicDescription[];
  /** The answering broker's metadata covers everything below this offset. */
  readonly metadataOffset: Offset;
}

export interface BrokerDescription {
  readonly nodeId: NodeId;
  readonly address: Address;
  readonly rack?: string;
}

export interface TopicDescription extends Outcome {
  readonly name: string;
  readonly topicId: Uuid;
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription extends Outcome {
  readonly partition: PartitionId;
  /** -1: none. */
  readonly leaderId: NodeId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  /** Replicas on brokers that are fenced or unknown. */
  readonly offlineReplicas: readonly NodeId[];
}

export interface InitProducerIdRequest {
  readonly clientId: string;
}

export interface InitProducerIdReply {
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
}

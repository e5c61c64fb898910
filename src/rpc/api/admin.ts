import type { NodeId, Offset, Uuid } from '../../base/index.ts';
import type { Address, CurrentLeader, Outcome, PartitionRef } from './common.ts';

export interface CreateTopicsRequest {
  readonly topics: readonly CreatableTopic[];
  /** Check and compute only. */
  readonly validateOnly: boolean;
  readonly timeoutMs: number;
}

export interface CreatableTopic {
  readonly name: string;
  /** -1: num.partitions, or by `assignments`. */
  readonly partitions: number;
  /** -1: default.replication.factor, or by `assignments`. */
  readonly replicationFactor: number;
  /** Replicas of partition i at index i; empty: placed by the controller. */
  readonly assignments: readonly (readonly NodeId[])[];
  readonly configs: Readonly<Record<string, string>>;
}

export interface CreateTopicsReply {
  /** In the order of the request. Answered when every partition has a leader and every live broker knows it. */
  readonly topics: readonly CreatedTopic[];
}

export interface CreatedTopic extends Outcome {
  readonly name: string;
  readonly topicId: Uuid;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export interface DeleteTopicsRequest {
  /** Names or topic ids. */
  readonly topics: readonly { readonly name?: string; readonly topicId?: Uuid }[];
  readonly timeoutMs: number;
}

export interface DeleteTopicsReply {
  readonly topics: readonly DeletedTopic[];
}

export interface DeletedTopic extends Outcome {
  readonly name: string;
  readonly topicId: Uuid;
}

export interface DeleteRecordsRequest {
  readonly partitions: readonly DeleteRecordsPartition[];
  /** How long to wait for the replicas of the partitions. */
  readonly timeoutMs: number;
}

/** In place of an offset: everything that is committed. */
export const HIGH_WATERMARK_OFFSET = -1;

export interface DeleteRecordsPartition extends PartitionRef {
  /** Records below it go: at most the high watermark; or HIGH_WATERMARK_OFFSET. */
  readonly beforeOffset: Offset;
}

export interface DeleteRecordsReply {
  /** In the order of the request. */
  readonly partitions: readonly DeletedRecords[];
}

export interface DeletedRecords extends Outcome, PartitionRef {
  /** No live replica holds a record below it, nor will after a crash; -1 on error. */
  readonly lowWatermark: Offset;
  readonly currentLeader?: CurrentLeader;
}

export type ConfigResourceType = 'topic' | 'broker';

export interface ConfigResource {
  readonly type: ConfigResourceType;
  /** A topic's name; a broker's id, or '' for the default of all brokers. */
  readonly name: string;
}

export interface DescribeConfigsRequest {
  readonly resources: readonly ConfigResource[];
}

export interface DescribeConfigsReply {
  readonly resources: readonly DescribedConfigs[];
}

export interface DescribedConfigs extends Outcome, ConfigResource {
  readonly entries: readonly ConfigEntry[];
}

export type ConfigSource = 'topic' | 'broker' | 'cluster' | 'static' | 'default';

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
}

export interface AlterConfigsRequest {
  readonly changes: readonly ConfigChange[];
  readonly validateOnly: boolean;
}

export interface ConfigChange extends ConfigResource {
  readonly operations: readonly ConfigOperation[];
}

export interface ConfigOperation {
  readonly kind: 'set' | 'delete' | 'append' | 'subtract';
  readonly name: string;
  /** Absent with delete. */
  readonly value?: string;
}

export interface AlterConfigsReply {
  readonly resources: readonly AlteredConfigs[];
}

export interface AlteredConfigs extends Outcome, ConfigResource {}

/** Every node can be asked for the digest of its metadata image; equal offsets must have equal digests. */
export interface ImageDigestReply {
  readonly nodeId: NodeId;
  readonly offset: Offset;
  readonly digest: string;
}

export interface DescribeClusterReply {
  readonly clusterId: Uuid;
  readonly controllerId: NodeId;
  readonly brokers: readonly DescribedBroker[];
  readonly controllers: readonly DescribedController[];
  readonly digest: ImageDigestReply;
}

export interface DescribedBroker {
  readonly nodeId: NodeId;
  readonly address: Address;
  readonly rack?: string;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly leaders: number;
  readonly replicas: number;
}

export interface DescribedController {
  readonly nodeId: NodeId;
  readonly address: Address;
  readonly active: boolean;
}

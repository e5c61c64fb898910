import type {
  AlterConfigsReply,
  AlterConfigsRequest,
  AlteredConfigs,
  ConfigChange,
  ConfigEntry,
  ConfigOperation,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  CreatableTopic,
  CreatedTopic,
  CreateTopicsReply,
  CreateTopicsRequest,
  DeletedRecords,
  DeletedTopic,
  DeleteRecordsPartition,
  DeleteRecordsReply,
  DeleteRecordsRequest,
  DeleteTopicsReply,
  DeleteTopicsRequest,
  DescribeClusterReply,
  DescribeConfigsReply,
  DescribeConfigsRequest,
  DescribedBroker,
  DescribedConfigs,
  DescribedController,
  ImageDigestReply,
} from '../api/index.ts';
import { address, currentLeader, outcome } from './common.ts';
import { absentMeans, many, one, optional, zeroMeans } from './field.ts';
import { mapped, message, textMap } from './message.ts';
import { TIMEOUT_MS_DEFAULT } from './produce.ts';
import { bool, int32, int64, text, words } from './type.ts';

const BY_CLUSTER_DEFAULT = -1;

interface ReplicaAssignment {
  readonly replicas: readonly number[];
}

const replicaAssignment = mapped<readonly number[], ReplicaAssignment>(
  message('ReplicaAssignment', { replicas: many(1, int32) }),
  (replicas) => ({ replicas }),
  ({ replicas }) => replicas,
);

const creatableTopic = message<CreatableTopic>('CreatableTopic', {
  name: one(1, text),
  partitions: absentMeans(2, int32, BY_CLUSTER_DEFAULT),
  replicationFactor: absentMeans(3, int32, BY_CLUSTER_DEFAULT),
  assignments: many(4, replicaAssignment),
  configs: textMap(5),
});

export const createTopicsRequest = message<CreateTopicsRequest>('CreateTopicsRequest', {
  topics: many(1, creatableTopic),
  validateOnly: one(2, bool),
  timeoutMs: zeroMeans(3, int32, TIMEOUT_MS_DEFAULT),
});

const createdTopic = message<CreatedTopic>('CreatedTopic', {
  ...outcome(1),
  name: one(3, text),
  topicId: one(4, text),
  partitions: one(5, int32),
  replicationFactor: one(6, int32),
});

export const createTopicsReply = message<CreateTopicsReply>('CreateTopicsReply', {
  topics: many(1, createdTopic),
});

const topicRef = message<DeleteTopicsRequest['topics'][number]>('TopicRef', {
  name: optional(1, text),
  topicId: optional(2, text),
});

export const deleteTopicsRequest = message<DeleteTopicsRequest>('DeleteTopicsRequest', {
  topics: many(1, topicRef),
  timeoutMs: zeroMeans(2, int32, TIMEOUT_MS_DEFAULT),
});

const deletedTopic = message<DeletedTopic>('DeletedTopic', {
  ...outcome(1),
  name: one(3, text),
  topicId: one(4, text),
});

export const deleteTopicsReply = message<DeleteTopicsReply>('DeleteTopicsReply', {
  topics: many(1, deletedTopic),
});

const deleteRecordsPartition = message<DeleteRecordsPartition>('DeleteRecordsPartition', {
  topic: one(1, text),
  partition: one(2, int32),
  beforeOffset: one(3, int64),
});

export const deleteRecordsRequest = message<DeleteRecordsRequest>('DeleteRecordsRequest', {
  partitions: many(1, deleteRecordsPartition),
  timeoutMs: zeroMeans(2, int32, TIMEOUT_MS_DEFAULT),
});

const deletedRecords = message<DeletedRecords>('DeletedRecords', {
  ...outcome(1),
  topic: one(3, text),
  partition: one(4, int32),
  lowWatermark: one(5, int64),
  currentLeader: optional(6, currentLeader),
});

export const deleteRecordsReply = message<DeleteRecordsReply>('DeleteRecordsReply', {
  partitions: many(1, deletedRecords),
});

const resourceType = words<ConfigResourceType>(
  'ResourceType',
  new Map([
    ['topic', 0],
    ['broker', 1],
  ]),
);

const configResource = message<ConfigResource>('ConfigResource', {
  type: one(1, resourceType),
  name: one(2, text),
});

export const describeConfigsRequest = message<DescribeConfigsRequest>('DescribeConfigsRequest', {
  resources: many(1, configResource),
});

const configSource = words<ConfigSource>(
  'ConfigSource',
  new Map([
    ['default', 0],
    ['static', 1],
    ['cluster', 2],
    ['broker', 3],
    ['topic', 4],
  ]),
);

const configEntry = message<ConfigEntry>('ConfigEntry', {
  name: one(1, text),
  value: one(2, text),
  source: one(3, configSource),
});

const describedConfigs = message<DescribedConfigs>('DescribedConfigs', {
  ...outcome(1),
  type: one(3, resourceType),
  name: one(4, text),
  entries: many(5, configEntry),
});

export const describeConfigsReply = message<DescribeConfigsReply>('DescribeConfigsReply', {
  resources: many(1, describedConfigs),
});

const operationKind = words<ConfigOperation['kind']>(
  'ConfigOperationKind',
  new Map([
    ['set', 0],
    ['delete', 1],
    ['append', 2],
    ['subtract', 3],
  ]),
);

const configOperation = message<ConfigOperation>('ConfigOperation', {
  kind: one(1, operationKind),
  name: one(2, text),
  value: optional(3, text),
});

const configChange = message<ConfigChange>('ConfigChange', {
  type: one(1, resourceType),
  name: one(2, text),
  operations: many(3, configOperation),
});

export const alterConfigsRequest = message<AlterConfigsRequest>('AlterConfigsRequest', {
  changes: many(1, configChange),
  validateOnly: one(2, bool),
});

const alteredConfigs = message<AlteredConfigs>('AlteredConfigs', {
  ...outcome(1),
  type: one(3, resourceType),
  name: one(4, text),
});

export const alterConfigsReply = message<AlterConfigsReply>('AlterConfigsReply', {
  resources: many(1, alteredConfigs),
});

export const imageDigestRequest = message<Record<never, never>>('ImageDigestRequest', {});

export const imageDigestReply = message<ImageDigestReply>('ImageDigestReply', {
  nodeId: one(1, int32),
  offset: one(2, int64),
  digest: one(3, text),
});

export const describeClusterRequest = message<Record<never, never>>('DescribeClusterRequest', {});

const describedBroker = message<DescribedBroker>('DescribedBroker', {
  nodeId: one(1, int32),
  address: one(2, address),
  rack: optional(3, text),
  fenced: one(4, bool),
  inControlledShutdown: one(5, bool),
  leaders: one(6, int32),
  replicas: one(7, int32),
});

const describedController = message<DescribedController>('DescribedController', {
  nodeId: one(1, int32),
  address: one(2, address),
  active: one(3, bool),
});

export const describeClusterReply = message<DescribeClusterReply>('DescribeClusterReply', {
  clusterId: one(1, text),
  controllerId: one(2, int32),
  brokers: many(3, describedBroker),
  controllers: many(4, describedController),
  digest: one(5, imageDigestReply),
});

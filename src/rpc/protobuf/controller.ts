import type {
  AllocateProducerIdsReply,
  AllocateProducerIdsRequest,
  AlteredPartition,
  AlterPartition,
  AlterPartitionReply,
  AlterPartitionRequest,
  AssignedReplica,
  AssignReplicasToDirsReply,
  AssignReplicasToDirsRequest,
  BrokerHeartbeat,
  BrokerHeartbeatReply,
  BrokerListener,
  DirectoryAssignment,
  RegisterBrokerReply,
  RegisterBrokerRequest,
} from '../api/index.ts';
import { outcome } from './common.ts';
import { absentMeans, many, one, optional } from './field.ts';
import { message } from './message.ts';
import { bool, int32, int64, text, words } from './type.ts';

const NOT_CLEAN = -1;

const listenerName = words<BrokerListener['name']>(
  'BrokerListenerName',
  new Map([
    ['client', 0],
    ['replica', 1],
  ]),
);

const brokerListener = message<BrokerListener>('BrokerListener', {
  name: one(1, listenerName),
  host: one(2, text),
  port: one(3, int32),
});

const featureRange = message<RegisterBrokerRequest['features'][number]>('FeatureRange', {
  name: one(1, text),
  min: one(2, int32),
  max: one(3, int32),
});

export const registerBrokerRequest = message<RegisterBrokerRequest>('RegisterBrokerRequest', {
  clusterId: one(1, text),
  brokerId: one(2, int32),
  incarnationId: one(3, text),
  listeners: many(4, brokerListener),
  rack: optional(5, text),
  logDirs: many(6, text),
  features: many(7, featureRange),
  previousBrokerEpoch: absentMeans(8, int64, NOT_CLEAN),
});

export const registerBrokerReply = message<RegisterBrokerReply>('RegisterBrokerReply', {
  brokerEpoch: one(1, int64),
});

export const brokerHeartbeat = message<BrokerHeartbeat>('BrokerHeartbeat', {
  correlationId: one(1, int64),
  brokerId: one(2, int32),
  brokerEpoch: one(3, int64),
  currentMetadataOffset: one(4, int64),
  wantFence: one(5, bool),
  wantShutdown: one(6, bool),
  offlineLogDirs: many(7, text),
});

export const brokerHeartbeatReply = message<BrokerHeartbeatReply>('BrokerHeartbeatReply', {
  ...outcome(1),
  correlationId: one(3, int64),
  isCaughtUp: one(4, bool),
  isFenced: one(5, bool),
  shouldShutdown: one(6, bool),
});

const recoveryState = words<AlterPartition['leaderRecoveryState']>(
  'RecoveryState',
  new Map([
    ['recovered', 0],
    ['recovering', 1],
  ]),
);

const isrMember = message<AlterPartition['newIsr'][number]>('IsrMember', {
  brokerId: one(1, int32),
  brokerEpoch: one(2, int64),
});

const alterPartition = message<AlterPartition>('AlterPartition', {
  topicId: one(1, text),
  partition: one(2, int32),
  leaderEpoch: one(3, int32),
  partitionEpoch: one(4, int32),
  newIsr: many(5, isrMember),
  leaderRecoveryState: one(6, recoveryState),
});

export const alterPartitionRequest = message<AlterPartitionRequest>('AlterPartitionRequest', {
  brokerId: one(1, int32),
  brokerEpoch: one(2, int64),
  partitions: many(3, alterPartition),
});

const alteredPartition = message<AlteredPartition>('AlteredPartition', {
  ...outcome(1),
  topicId: one(3, text),
  partition: one(4, int32),
  leaderId: one(5, int32),
  leaderEpoch: one(6, int32),
  partitionEpoch: one(7, int32),
  isr: many(8, int32),
  leaderRecoveryState: one(9, recoveryState),
});

export const alterPartitionReply = message<AlterPartitionReply>('AlterPartitionReply', {
  partitions: many(1, alteredPartition),
});

const directoryAssignment = message<DirectoryAssignment>('DirectoryAssignment', {
  topicId: one(1, text),
  partition: one(2, int32),
  directoryId: one(3, text),
});

export const assignReplicasToDirsRequest = message<AssignReplicasToDirsRequest>(
  'AssignReplicasToDirsRequest',
  {
    brokerId: one(1, int32),
    brokerEpoch: one(2, int64),
    replicas: many(3, directoryAssignment),
  },
);

const assignedReplica = message<AssignedReplica>('AssignedReplica', {
  ...outcome(1),
  topicId: one(3, text),
  partition: one(4, int32),
});

export const assignReplicasToDirsReply = message<AssignReplicasToDirsReply>('AssignReplicasToDirsReply', {
  replicas: many(1, assignedReplica),
});

export const allocateProducerIdsRequest = message<AllocateProducerIdsRequest>('AllocateProducerIdsRequest', {
  brokerId: one(1, int32),
  brokerEpoch: one(2, int64),
});

export const allocateProducerIdsReply = message<AllocateProducerIdsReply>('AllocateProducerIdsReply', {
  firstProducerId: one(1, int64),
  count: one(2, int32),
});

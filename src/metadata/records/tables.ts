/**
 * The bytes of each record: field numbers and types as in proto/quorate/v1/records.proto, which a test compares.
 *
 * Numbers are never changed and never reused. RECORD_NUMBERS is Kafka's api key plus one.
 */
import type { BrokerListener, ConfigResourceType } from '../../rpc/api/index.ts';
import type { FeatureRange, LeaderRecoveryState, RecordKind, RecordOf } from './records.ts';
import {
  BOOL,
  implicit,
  type MessageType,
  message,
  optional,
  optionalList,
  repeated,
  type Schema,
  SINT32,
  STRING,
  UINT32,
  UINT64,
  UUID,
  words,
} from './schema.ts';

const LISTENER_NAME = words<BrokerListener['name']>('ListenerName', { client: 1, replica: 2 });
const RECOVERY_STATE = words<LeaderRecoveryState>('LeaderRecoveryState', { recovered: 0, recovering: 1 });
const RESOURCE_TYPE = words<ConfigResourceType>('ConfigResourceType', { topic: 2, broker: 4 });
const FENCING = words('FencingChange', { none: 0, fence: 1, unfence: 2 });
const SHUTDOWN = words('ControlledShutdownChange', { none: 0, 'in-controlled-shutdown': 1 });

const listener: Schema<BrokerListener> = {
  name: 'BrokerListenerRecord',
  fields: { name: implicit(1, LISTENER_NAME), host: implicit(2, STRING), port: implicit(3, UINT32) },
};

const featureRange: Schema<FeatureRange> = {
  name: 'FeatureRangeRecord',
  fields: { name: implicit(1, STRING), min: implicit(2, UINT32), max: implicit(3, UINT32) },
};

/** One schema per kind of record. */
export const RECORD_SCHEMAS: { readonly [K in RecordKind]: Schema<RecordOf<K>> } = {
  'register-broker': {
    name: 'RegisterBrokerRecord',
    fields: {
      brokerId: implicit(1, SINT32),
      incarnationId: implicit(2, UUID),
      brokerEpoch: implicit(3, UINT64),
      listeners: repeated(4, message(listener)),
      features: repeated(5, message(featureRange)),
      rack: optional(6, STRING),
      fenced: implicit(7, BOOL),
      inControlledShutdown: implicit(8, BOOL),
      logDirs: repeated(9, UUID),
    },
  },
  'unregister-broker': {
    name: 'UnregisterBrokerRecord',
    fields: { brokerId: implicit(1, SINT32), brokerEpoch: implicit(2, UINT64) },
  },
  topic: {
    name: 'TopicRecord',
    fields: { name: implicit(1, STRING), topicId: implicit(2, UUID) },
  },
  partition: {
    name: 'PartitionRecord',
    fields: {
      partitionId: implicit(1, UINT32),
      topicId: implicit(2, UUID),
      replicas: repeated(3, SINT32),
      isr: repeated(4, SINT32),
      removingReplicas: repeated(5, SINT32),
      addingReplicas: repeated(6, SINT32),
      leader: implicit(7, SINT32),
      leaderRecoveryState: implicit(8, RECOVERY_STATE),
      leaderEpoch: implicit(9, UINT32),
      partitionEpoch: implicit(10, UINT32),
      directories: repeated(11, UUID),
    },
  },
  config: {
    name: 'ConfigRecord',
    fields: {
      resourceType: implicit(1, RESOURCE_TYPE),
      resourceName: implicit(2, STRING),
      name: implicit(3, STRING),
      value: optional(4, STRING),
    },
  },
  'partition-change': {
    name: 'PartitionChangeRecord',
    fields: {
      partitionId: implicit(1, UINT32),
      topicId: implicit(2, UUID),
      isr: optionalList(3, SINT32, 'NodeIds'),
      leader: optional(4, SINT32),
      replicas: optionalList(5, SINT32, 'NodeIds'),
      removingReplicas: optionalList(6, SINT32, 'NodeIds'),
      addingReplicas: optionalList(7, SINT32, 'NodeIds'),
      leaderRecoveryState: optional(8, RECOVERY_STATE),
      directories: optionalList(9, UUID, 'DirectoryIds'),
    },
  },
  'remove-topic': { name: 'RemoveTopicRecord', fields: { topicId: implicit(1, UUID) } },
  'feature-level': {
    name: 'FeatureLevelRecord',
    fields: { name: implicit(1, STRING), featureLevel: implicit(2, UINT32) },
  },
  'producer-ids': {
    name: 'ProducerIdsRecord',
    fields: {
      brokerId: implicit(1, SINT32),
      brokerEpoch: implicit(2, UINT64),
      nextProducerId: implicit(3, UINT64),
    },
  },
  'broker-registration-change': {
    name: 'BrokerRegistrationChangeRecord',
    fields: {
      brokerId: implicit(1, SINT32),
      brokerEpoch: implicit(2, UINT64),
      fenced: implicit(3, FENCING),
      inControlledShutdown: implicit(4, SHUTDOWN),
      logDirs: optionalList(5, UUID, 'DirectoryIds'),
    },
  },
  'no-op': { name: 'NoOpRecord', fields: {} },
};

/** Field of each record in MetadataRecord. */
export const RECORD_NUMBERS: Readonly<Record<RecordKind, number>> = {
  'register-broker': 1,
  'unregister-broker': 2,
  topic: 3,
  partition: 4,
  config: 5,
  'partition-change': 6,
  'remove-topic': 10,
  'feature-level': 13,
  'producer-ids': 16,
  'broker-registration-change': 18,
  'no-op': 21,
};

/** Field of MetadataRecord that holds the record's version. */
export const VERSION_NUMBER = 100;
/** Highest version this code reads; what it writes is version 0. */
export const VERSION_MAX = 0;

type RecordTypes = { readonly [K in RecordKind]: MessageType<RecordOf<K>> };
export const RECORD_TYPES: RecordTypes = Object.fromEntries(
  Object.entries(RECORD_SCHEMAS).map(([kind, schema]) => [kind, message(schema as Schema<object>)]),
) as unknown as RecordTypes;

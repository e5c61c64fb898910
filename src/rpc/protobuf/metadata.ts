import type {
  BrokerDescription,
  InitProducerIdReply,
  InitProducerIdRequest,
  MetadataReply,
  MetadataRequest,
  PartitionDescription,
  TopicDescription,
} from '../api/index.ts';
import { address, outcome } from './common.ts';
import { many, one, optional } from './field.ts';
import { mapped, message } from './message.ts';
import { malformed } from './reader.ts';
import { bool, int32, int64, text } from './type.ts';

interface MetadataRequestOnWire {
  readonly topics: readonly string[];
  readonly withoutTopics: boolean;
}

const metadataRequestOnWire = message<MetadataRequestOnWire>('MetadataRequest', {
  topics: many(1, text),
  withoutTopics: one(2, bool),
});

/** An empty list means "all" to a simple client; the api's empty list ("none") is said by a flag. */
export const metadataRequest = mapped<MetadataRequest, MetadataRequestOnWire>(
  metadataRequestOnWire,
  ({ topics }) => ({ topics: topics ?? [], withoutTopics: topics?.length === 0 }),
  ({ topics, withoutTopics }) => {
    if (withoutTopics && topics.length > 0) throw malformed('MetadataRequest with topics and without_topics');
    return topics.length > 0 || withoutTopics ? { topics } : {};
  },
);

const brokerDescription = message<BrokerDescription>('BrokerDescription', {
  nodeId: one(1, int32),
  address: one(2, address),
  rack: optional(3, text),
});

const partitionDescription = message<PartitionDescription>('PartitionDescription', {
  ...outcome(1),
  partition: one(3, int32),
  leaderId: one(4, int32),
  leaderEpoch: one(5, int32),
  partitionEpoch: one(6, int32),
  replicas: many(7, int32),
  isr: many(8, int32),
  offlineReplicas: many(9, int32),
});

const topicDescription = message<TopicDescription>('TopicDescription', {
  ...outcome(1),
  name: one(3, text),
  topicId: one(4, text),
  partitions: many(5, partitionDescription),
});

export const metadataReply = message<MetadataReply>('MetadataReply', {
  clusterId: one(1, text),
  controllerId: one(2, int32),
  brokers: many(3, brokerDescription),
  topics: many(4, topicDescription),
  metadataOffset: one(5, int64),
});

export const initProducerIdRequest = message<InitProducerIdRequest>('InitProducerIdRequest', {
  clientId: one(1, text),
});

export const initProducerIdReply = message<InitProducerIdReply>('InitProducerIdReply', {
  producerId: one(1, int64),
  producerEpoch: one(2, int32),
});

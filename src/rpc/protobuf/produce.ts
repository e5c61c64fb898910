import type {
  Acks,
  PlainProduce,
  ProducePartition,
  ProducePartitionReply,
  ProduceReply,
  ProduceRequest,
} from '../api/index.ts';
import { currentLeader, outcome, plainRecord } from './common.ts';
import { many, one, optional, zeroMeans } from './field.ts';
import { message } from './message.ts';
import { bool, bytes, int32, int64, text, words } from './type.ts';

/** Where a request says 0: Kafka's request.timeout.ms. */
export const TIMEOUT_MS_DEFAULT = 30_000;

const acks = words<Acks>(
  'Acks',
  new Map([
    [-1, 0],
    [1, 1],
    [0, 2],
  ]),
);

const producePartition = message<ProducePartition>('ProducePartition', {
  topic: one(1, text),
  partition: one(2, int32),
  batch: one(3, bytes),
});

const plainProduce = message<PlainProduce>('PlainProduce', {
  topic: one(1, text),
  partition: optional(2, int32),
  records: many(3, plainRecord),
});

export const produceRequest = message<ProduceRequest>('ProduceRequest', {
  correlationId: one(1, int64),
  clientId: one(2, text),
  acks: one(3, acks),
  timeoutMs: zeroMeans(4, int32, TIMEOUT_MS_DEFAULT),
  partitions: many(5, producePartition),
  plain: many(6, plainProduce),
  forwarded: one(7, bool),
});

const producePartitionReply = message<ProducePartitionReply>('ProducePartitionReply', {
  topic: one(1, text),
  partition: one(2, int32),
  ...outcome(3),
  baseOffset: one(5, int64),
  leaderEpoch: one(6, int32),
  logStartOffset: one(7, int64),
  logAppendTimeMs: one(8, int64),
  replicas: many(9, int32),
  synced: one(10, bool),
  currentLeader: optional(11, currentLeader),
});

export const produceReply = message<ProduceReply>('ProduceReply', {
  correlationId: one(1, int64),
  partitions: many(2, producePartitionReply),
});

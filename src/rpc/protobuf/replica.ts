import type {
  ReplicaFetchPartition,
  ReplicaFetchPartitionReply,
  ReplicaFetchReply,
  ReplicaFetchRequest,
} from '../api/index.ts';
import { outcome } from './common.ts';
import { many, one, optional } from './field.ts';
import { message } from './message.ts';
import { bool, bytes, int32, int64, text } from './type.ts';

const replicaFetchPartition = message<ReplicaFetchPartition>('ReplicaFetchPartition', {
  topicId: one(1, text),
  partition: one(2, int32),
  currentLeaderEpoch: one(3, int32),
  fetchOffset: one(4, int64),
  flushedOffset: one(5, int64),
  lastFetchedEpoch: one(6, int32),
  logStartOffset: one(7, int64),
  maxBytes: one(8, int32),
});

const replicaRef = message<ReplicaFetchRequest['forget'][number]>('ReplicaRef', {
  topicId: one(1, text),
  partition: one(2, int32),
});

export const replicaFetchRequest = message<ReplicaFetchRequest>('ReplicaFetchRequest', {
  correlationId: one(1, int64),
  brokerId: one(2, int32),
  brokerEpoch: one(3, int64),
  ack: one(4, bool),
  maxWaitMs: one(5, int32),
  minBytes: one(6, int32),
  maxBytes: one(7, int32),
  partitions: many(8, replicaFetchPartition),
  forget: many(9, replicaRef),
});

const epochEnd = message<NonNullable<ReplicaFetchPartitionReply['divergingEpoch']>>('LeaderEpochEnd', {
  epoch: one(1, int32),
  endOffset: one(2, int64),
});

const replicaFetchPartitionReply = message<ReplicaFetchPartitionReply>('ReplicaFetchPartitionReply', {
  ...outcome(1),
  topicId: one(3, text),
  partition: one(4, int32),
  highWatermark: one(5, int64),
  logStartOffset: one(6, int64),
  divergingEpoch: optional(7, epochEnd),
  batches: many(8, bytes),
});

export const replicaFetchReply = message<ReplicaFetchReply>('ReplicaFetchReply', {
  correlationId: one(1, int64),
  partitions: many(2, replicaFetchPartitionReply),
});

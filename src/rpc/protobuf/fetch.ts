import type {
  FetchPartition,
  FetchPartitionReply,
  FetchReply,
  FetchRequest,
  IsolationLevel,
  ListOffsetsPartition,
  ListOffsetsPartitionReply,
  ListOffsetsReply,
  ListOffsetsRequest,
} from '../api/index.ts';
import { currentLeader, outcome, plainRecord } from './common.ts';
import { absentMeans, many, one, optional, zeroMeans } from './field.ts';
import { message } from './message.ts';
import { bool, bytes, int32, int64, text, words } from './type.ts';

/**
 * Where a request says 0: a reply then fits into the 4 MiB that gRPC libraries accept unless told
 * otherwise.
 */
export const FETCH_BYTES_DEFAULT = 2 * 1024 * 1024;
export const FETCH_PARTITION_BYTES_DEFAULT = 1024 * 1024;

const NO_CHECK = -1;

const isolation = words<IsolationLevel>(
  'IsolationLevel',
  new Map([
    ['read_uncommitted', 0],
    ['read_committed', 1],
  ]),
);

const fetchPartition = message<FetchPartition>('FetchPartition', {
  topic: one(1, text),
  partition: one(2, int32),
  fetchOffset: one(3, int64),
  currentLeaderEpoch: absentMeans(4, int32, NO_CHECK),
  maxBytes: zeroMeans(5, int32, FETCH_PARTITION_BYTES_DEFAULT),
});

export const fetchRequest = message<FetchRequest>('FetchRequest', {
  correlationId: one(1, int64),
  clientId: one(2, text),
  maxWaitMs: one(3, int32),
  minBytes: one(4, int32),
  maxBytes: zeroMeans(5, int32, FETCH_BYTES_DEFAULT),
  isolation: one(6, isolation),
  partitions: many(7, fetchPartition),
  plain: one(8, bool),
  forwarded: one(9, bool),
});

const fetchPartitionReply = message<FetchPartitionReply>('FetchPartitionReply', {
  topic: one(1, text),
  partition: one(2, int32),
  ...outcome(3),
  highWatermark: one(5, int64),
  lastStableOffset: one(6, int64),
  logStartOffset: one(7, int64),
  batches: many(8, bytes),
  records: many(9, plainRecord),
  currentLeader: optional(10, currentLeader),
});

export const fetchReply = message<FetchReply>('FetchReply', {
  correlationId: one(1, int64),
  partitions: many(2, fetchPartitionReply),
});

const listOffsetsPartition = message<ListOffsetsPartition>('ListOffsetsPartition', {
  topic: one(1, text),
  partition: one(2, int32),
  timestampMs: one(3, int64),
  currentLeaderEpoch: absentMeans(4, int32, NO_CHECK),
});

export const listOffsetsRequest = message<ListOffsetsRequest>('ListOffsetsRequest', {
  isolation: one(1, isolation),
  partitions: many(2, listOffsetsPartition),
  forwarded: one(3, bool),
});

const listOffsetsPartitionReply = message<ListOffsetsPartitionReply>('ListOffsetsPartitionReply', {
  topic: one(1, text),
  partition: one(2, int32),
  ...outcome(3),
  offset: one(5, int64),
  timestampMs: one(6, int64),
  leaderEpoch: one(7, int32),
  currentLeader: optional(8, currentLeader),
});

export const listOffsetsReply = message<ListOffsetsReply>('ListOffsetsReply', {
  partitions: many(1, listOffsetsPartitionReply),
});

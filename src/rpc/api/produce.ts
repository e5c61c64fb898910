import type { LeaderEpoch, NodeId, Offset, PartitionId } from '../../base/index.ts';
import type { CurrentLeader, Outcome, PartitionRef, PlainRecord } from './common.ts';

/** 0: no reply. 1: appended by the leader. -1 ("all"): durable on min.insync.replicas replicas at least. */
export type Acks = 0 | 1 | -1;

export interface ProduceRequest {
  /** Chosen by the client, given back in the reply; one connection may have many in flight. */
  readonly correlationId: number;
  readonly clientId: string;
  readonly acks: Acks;
  /** How long the leader may wait for replicas. */
  readonly timeoutMs: number;
  readonly partitions: readonly ProducePartition[];
  /** Records in clear; the broker makes the batches and picks a partition where none is given. */
  readonly plain: readonly PlainProduce[];
  /** True on the second hop of a request that reached the wrong broker: never forwarded again. */
  readonly forwarded: boolean;
}

export interface ProducePartition extends PartitionRef {
  /** Exactly one record batch, magic 2. */
  readonly batch: Uint8Array;
}

export interface PlainProduce {
  readonly topic: string;
  /** Absent: by murmur2 of the key, as Kafka's clients do; without a key, any. */
  readonly partition?: PartitionId;
  readonly records: readonly PlainRecord[];
}

export interface ProduceReply {
  readonly correlationId: number;
  /** One per batch of the request, in its order; then one per partition that plain records went to. */
  readonly partitions: readonly ProducePartitionReply[];
}

export interface ProducePartitionReply extends Outcome, PartitionRef {
  /** Of the first record; -1 on error. */
  readonly baseOffset: Offset;
  /** Epoch of the leader that appended, which for a repeated batch may be an earlier one; -1 on error, or when its records are gone. */
  readonly leaderEpoch: LeaderEpoch;
  readonly logStartOffset: Offset;
  /** Broker's time with LogAppendTime, else -1. */
  readonly logAppendTimeMs: number;
  /** What the acknowledgement stands for: in-sync replicas that hold the records, and whether each has synced them. */
  readonly replicas: readonly NodeId[];
  readonly synced: boolean;
  readonly currentLeader?: CurrentLeader;
}

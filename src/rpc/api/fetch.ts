import type { LeaderEpoch, Offset } from '../../base/index.ts';
import type { CurrentLeader, Outcome, PartitionRef, PlainRecord } from './common.ts';

export type IsolationLevel = 'read_uncommitted' | 'read_committed';

export interface FetchRequest {
  readonly correlationId: number;
  readonly clientId: string;
  /** The reply waits this long for `minBytes`. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Of all partitions together; the first batch of the first non-empty partition is returned even when larger. */
  readonly maxBytes: number;
  readonly isolation: IsolationLevel;
  readonly partitions: readonly FetchPartition[];
  /** True: the reply has `records` in clear in place of `batches`. */
  readonly plain: boolean;
  readonly forwarded: boolean;
}

export interface FetchPartition extends PartitionRef {
  readonly fetchOffset: Offset;
  /** What the client believes; -1: no check. */
  readonly currentLeaderEpoch: LeaderEpoch;
  readonly maxBytes: number;
}

export interface FetchReply {
  readonly correlationId: number;
  readonly partitions: readonly FetchPartitionReply[];
}

export interface FetchPartitionReply extends Outcome, PartitionRef {
  /** First offset that is not yet committed; -1 on error. */
  readonly highWatermark: Offset;
  readonly lastStableOffset: Offset;
  readonly logStartOffset: Offset;
  /** Whole batches back to back, as stored; each element holds one or more. The first may start below fetchOffset. */
  readonly batches: readonly Uint8Array[];
  readonly records: readonly PlainRecord[];
  readonly currentLeader?: CurrentLeader;
}

export interface ListOffsetsRequest {
  readonly isolation: IsolationLevel;
  readonly partitions: readonly ListOffsetsPartition[];
  readonly forwarded: boolean;
}

export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
export const MAX_TIMESTAMP = -3;

export interface ListOffsetsPartition extends PartitionRef {
  /** Unix milliseconds, or LATEST_TIMESTAMP, EARLIEST_TIMESTAMP, MAX_TIMESTAMP. */
  readonly timestampMs: number;
  readonly currentLeaderEpoch: LeaderEpoch;
}

export interface ListOffsetsReply {
  readonly partitions: readonly ListOffsetsPartitionReply[];
}

export interface ListOffsetsPartitionReply extends Outcome, PartitionRef {
  /** First offset whose timestamp is at or after the asked one; -1: none. */
  readonly offset: Offset;
  readonly timestampMs: number;
  /** Of the record at `offset`, for the end of the log of its leader; -1: none or not known. */
  readonly leaderEpoch: LeaderEpoch;
  readonly currentLeader?: CurrentLeader;
}

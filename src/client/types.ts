import type { LeaderEpoch, NodeId, Offset, PartitionId } from '../base/index.ts';

/** What a key, a value or a header may be given as; a string stands for its UTF-8 bytes. */
export type Content = string | Uint8Array;

/** A record to send. */
export interface RecordInput {
  /** Decides the partition, as in Kafka; null or absent: none. */
  readonly key?: Content | null;
  /** null or absent: a tombstone. */
  readonly value?: Content | null;
  readonly headers?: HeadersInput;
  /** Unix milliseconds. Default: now. */
  readonly timestampMs?: number;
  /** Default: chosen by the partitioner. */
  readonly partition?: PartitionId;
}

/** By name, or a list when a name occurs more than once or the order counts. */
export type HeadersInput =
  | Readonly<Record<string, Content>>
  | readonly { readonly key: string; readonly value?: Content | null }[];

/** Records of one send that lie together: at offsets [offset, offset + count) of one partition. */
export interface Acknowledgement {
  readonly topic: string;
  readonly partition: PartitionId;
  /**
   * Of the first record; -1 with acks=0, and for a batch the broker knew already but too long ago to say
   * where.
   */
  readonly offset: Offset;
  readonly count: number;
  /** Of the leader that appended; -1: unknown. */
  readonly leaderEpoch: LeaderEpoch;
  /** In-sync replicas that hold the records, as far as the broker said. */
  readonly replicas: readonly NodeId[];
  /** Each of `replicas` has them on disk. */
  readonly synced: boolean;
  /** The broker's time when the topic has LogAppendTime, else -1. */
  readonly logAppendTimeMs: number;
}

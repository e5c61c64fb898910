import type { BrokerEpoch, LeaderEpoch, NodeId, Offset, PartitionId, Uuid } from '../../base/index.ts';
import type { Outcome } from './common.ts';

/**
 * A frame of the replica fetch stream: one stream per (follower broker, leader broker), and with it one fetch session.
 *
 * The leader remembers the partitions of the session. A frame lists the partitions that are new or whose state changed
 * since the last frame, and those to forget (KIP-227, with the stream in place of a session id). A frame with `ack` only
 * reports flushed offsets and gets no reply; every other frame is answered exactly once, and one is in flight at a time.
 */
export interface ReplicaFetchRequest {
  /** Grows by one with each frame that is not an ack; a gap or repetition ends the stream. */
  readonly correlationId: number;
  readonly brokerId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly ack: boolean;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitions: readonly ReplicaFetchPartition[];
  readonly forget: readonly { readonly topicId: Uuid; readonly partition: PartitionId }[];
}

export interface ReplicaFetchPartition {
  readonly topicId: Uuid;
  readonly partition: PartitionId;
  readonly currentLeaderEpoch: LeaderEpoch;
  /** The follower's log end offset: where to go on. */
  readonly fetchOffset: Offset;
  /** Everything below it is on the follower's disk: its acknowledgement. At most fetchOffset. */
  readonly flushedOffset: Offset;
  /** Epoch of the follower's last batch; -1: its log is empty. */
  readonly lastFetchedEpoch: LeaderEpoch;
  /** The follower holds no record below it, and no crash brings one back. */
  readonly logStartOffset: Offset;
  readonly maxBytes: number;
}

export interface ReplicaFetchReply {
  readonly correlationId: number;
  /** Only partitions with records, an error, a divergence, or a high watermark or log start that moved. */
  readonly partitions: readonly ReplicaFetchPartitionReply[];
}

export interface ReplicaFetchPartitionReply extends Outcome {
  readonly topicId: Uuid;
  readonly partition: PartitionId;
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
  /** Set when the follower's log diverges: cut, use nothing else of this reply. */
  readonly divergingEpoch?: { readonly epoch: LeaderEpoch; readonly endOffset: Offset };
  readonly batches: readonly Uint8Array[];
}

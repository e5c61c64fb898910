/**
 * A history: what clients asked of a cluster, what they were told, and what was done to the cluster meanwhile, in the order
 * in which one observer saw it. It is all that {@link checkHistory} judges by.
 *
 * An operation is two events: `invoke`, then one of
 *     ok     it happened, and this is what came of it
 *     fail   it certainly did not happen
 *     info   nobody knows; it may have happened, or still happen later
 * An operation without a second event is unknown, too. A note is a single `ok` without `invokedAt`.
 *
 * Source: Jepsen's histories (jepsen.tests.kafka), Herlihy and Wing 1990.
 */
import type { LeaderEpoch, NodeId, Offset, PartitionId, TopicPartition } from '../../base/index.ts';

export type OperationType = 'invoke' | 'ok' | 'fail' | 'info';

export interface HistoryEvent {
  /** Place in the history: rises from event to event. */
  readonly index: number;
  readonly timeMs: number;
  /** Who: one client, with at most one poll at a time. Sends may overlap. */
  readonly process: string;
  readonly type: OperationType;
  /** In `ok` with its results; in `fail` and `info` as invoked. */
  readonly operation: Operation;
  /** Index of the event that began it. */
  readonly invokedAt?: number;
  /** Why it failed, or is unknown. */
  readonly error?: string;
}

export type Operation = Send | Poll | Assign | Ends | Crash | DeleteRecords | Mark | Fault | Count;

/** Values to a topic. Each value is sent to a topic once. */
export interface Send {
  readonly f: 'send';
  readonly topic: string;
  /** Absent: wherever the partitioner puts each. */
  readonly partition?: PartitionId;
  readonly values: readonly string[];
  /** Default 'all'. With less, the write may be lost by a change of the leader, and that is no anomaly. */
  readonly acks?: 0 | 1 | 'all';
  /** Name of the idempotent producer, unique in the history: stores each value once and in the order of its sends. */
  readonly producer?: string;
  /** In `ok`: where the values lie. An `Acknowledgement` of the client is one. */
  readonly placed?: readonly Placement[];
}

/** `count` values of a send at offsets [offset, offset + count). A single one for the whole send has them in order. */
export interface Placement {
  readonly partition: PartitionId;
  /** -1: unknown. */
  readonly offset: Offset;
  readonly count: number;
}

/** One turn of a consumer. */
export interface Poll {
  readonly f: 'poll';
  /** In `ok`: what it got, a partition at most once. */
  readonly polled?: readonly PolledPartition[];
}

export interface PolledPartition extends TopicPartition {
  /** In the order in which they came. */
  readonly records: readonly PolledRecord[];
  /** What the reply that brought the records said. */
  readonly highWatermark?: Offset;
  readonly logStartOffset?: Offset;
  readonly leaderEpoch?: LeaderEpoch;
}

/** A value is what `readValue` makes of a payload, or any text that identifies it. */
export type PolledRecord = readonly [offset: Offset, value: string];

/** From where a consumer reads on in these partitions; others keep their place. Also for a seek. */
export interface Assign {
  readonly f: 'assign';
  readonly positions: readonly AssignedPosition[];
}

export interface AssignedPosition extends TopicPartition {
  /** Absent: nobody knows. 'end': as it was between invocation and completion. */
  readonly from?: 'beginning' | 'end' | Offset;
}

/** A question for the end, and the beginning, of partitions. */
export interface Ends {
  readonly f: 'ends';
  readonly partitions: readonly PartitionEnd[];
}

export interface PartitionEnd extends TopicPartition {
  /** In `ok`: the first offset that cannot be read yet. */
  readonly end?: Offset;
  readonly logStartOffset?: Offset;
}

/** The client is gone, with its positions. Whoever has its name afterwards is another one. */
export interface Crash {
  readonly f: 'crash';
}

/** Records below `before` may go. */
export interface DeleteRecords extends TopicPartition {
  readonly f: 'delete-records';
  readonly before: Offset;
}

/**
 * whole: every partition has all of its replicas in sync; what was lost before counts no more against the loss budget.
 * final: whole, no fault is active, no send is open, and what is read from here on is everything: each acknowledged value
 * must be read once more.
 */
export interface Mark {
  readonly f: 'mark';
  readonly mark: 'whole' | 'final';
}

/** Something is done to the cluster. Recorded before it is done. */
export interface Fault {
  readonly f: 'fault';
  /** For instance 'kill', 'pause', 'cut', 'power-loss'. */
  readonly fault: string;
  readonly nodes?: readonly NodeId[];
  /**
   * These nodes may forget what they have acknowledged: power loss with unsynced bytes, a wiped disk. 'unsynced': what their
   * disks had not, and nothing else; that counts for topics that acknowledge before.
   */
  readonly lossy?: boolean | 'unsynced';
}

/** Something that was seen from elsewhere and belongs into the coverage: elections, truncations. */
export interface Count {
  readonly f: 'count';
  readonly name: string;
  readonly count: number;
}

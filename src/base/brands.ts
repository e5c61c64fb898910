/**
 * The numbers and words of the domain, told apart by the type checker.
 *
 * A flavour is an optional brand: a plain literal or the result of arithmetic fits, another flavour does not.
 * `offset + 1` stays readable, passing an `Offset` where a `LeaderEpoch` belongs is an error. Ranges are checked where
 * values enter (codecs and config), not here.
 */
declare const flavour: unique symbol;
type Flavour<T, Name extends string> = T & { readonly [flavour]?: Name };

/** Position in a log, 0-based, at most 2^53 - 1. */
export type Offset = Flavour<number, 'Offset'>;
/** Raft term of the metadata quorum ("leader epoch" of the quorum in Kafka). */
export type QuorumEpoch = Flavour<number, 'QuorumEpoch'>;
/** Version of a partition's leadership, assigned by the controller. -1: unknown. */
export type LeaderEpoch = Flavour<number, 'LeaderEpoch'>;
/** Version of a partition's metadata: the compare-and-set token of AlterPartition. */
export type PartitionEpoch = Flavour<number, 'PartitionEpoch'>;
/** One incarnation of one broker: the metadata offset of its registration. -1: unknown. */
export type BrokerEpoch = Flavour<number, 'BrokerEpoch'>;
/** Id of a node, controller or broker, 0 or more. -1 where a leader is named: none. */
export type NodeId = Flavour<number, 'NodeId'>;
/** Index of a partition in its topic, 0-based. */
export type PartitionId = Flavour<number, 'PartitionId'>;
/** Milliseconds of a clock that never goes back and means nothing outside this process. */
export type MonotonicMs = Flavour<number, 'MonotonicMs'>;
/** Milliseconds since 1970-01-01 UTC; may jump. */
export type WallMs = Flavour<number, 'WallMs'>;
/** 16 bytes as 22 characters of base64url without padding, as Kafka prints ids. */
export type Uuid = Flavour<string, 'Uuid'>;
/** Id given to an idempotent producer, unique in the cluster. -1: none. */
export type ProducerId = Flavour<number, 'ProducerId'>;

/** "No leader", "no producer id", "unknown epoch": Kafka's -1. */
export const NONE = -1;

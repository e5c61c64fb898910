/** Bounds of what a broker's replicas hold for others. Reaching one is a refusal with RESOURCE_EXHAUSTED, not growth. */

/** Produce requests that wait for acknowledgement. */
export const PENDING_PRODUCES_MAX = 100_000;
/** Bytes of the records those requests brought; the batches are in the log's memory anyway until they are written. */
export const PENDING_PRODUCE_BYTES_MAX = 256 * 1024 * 1024;
/** Partitions whose records were deleted here and not yet everywhere. */
export const PENDING_DELETIONS_MAX = 100_000;
/** Consumer fetches that wait for data. */
export const PARKED_FETCHES_MAX = 100_000;
/** Replica fetch streams served: one for each other broker, and a few that are being replaced. */
export const FOLLOWER_SESSIONS_MAX = 1_000;
/** Partitions of one replica fetch stream. */
export const SESSION_PARTITIONS_MAX = 200_000;
/** Partitions one frame of a replica fetch lists; the rest follow in the next. */
export const FRAME_PARTITIONS_MAX = 10_000;
/** Partitions of one AlterPartition request. */
export const ALTER_PARTITIONS_MAX = 1_000;

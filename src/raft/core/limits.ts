/** Largest payload of one entry, and most payload bytes in one fetch reply. Kafka: quorum max batch size, 8 MiB. */
export const ENTRY_BYTES_MAX = 8 * 1024 * 1024;

/** Most entries in one fetch reply, one read or one write: a log of many small ones moves in short steps. */
export const ENTRIES_AT_ONCE_MAX = 16_384;

/** Most uncommitted entries of a leader; at the bound `append` answers back-pressure. */
export const UNCOMMITTED_ENTRIES_MAX = 8192;

/** Most uncommitted payload bytes of a leader; at the bound `append` answers back-pressure. */
export const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;

/** How much of the log is kept in memory; above it the oldest durable entries are read from the store again. */
export interface TailLimits {
  readonly bytes: number;
  readonly entries: number;
}

export const TAIL_LIMITS: TailLimits = { bytes: 32 * 1024 * 1024, entries: 100_000 };

/** Observers a leader remembers; at the bound the one silent for longest is forgotten. */
export const OBSERVERS_MAX = 1000;

/** An observer that has not fetched for this long is forgotten. Kafka: 300 s. */
export const OBSERVER_SESSION_MS = 300_000;

/** Most payload bytes of one write to the store; what is above goes into the next. */
export const WRITE_BYTES_MAX = 16 * 1024 * 1024;

/** Ends the process of this node when going on would be a lie. */
export interface Exit {
  /** Flushes the log and ends with the status of `reason`. Returns to nobody; in a test it stops that node only. */
  fatal(reason: FatalReason, error: unknown): void;
}

/** One exit status per reason: see docs/errors.md. */
export type FatalReason = 'bug' | 'sync-failed' | 'storage' | 'metadata-replay' | 'fenced-for-ever';

export const EXIT_STATUS: Readonly<Record<FatalReason, number>> = {
  bug: 70,
  'sync-failed': 74,
  storage: 75,
  'metadata-replay': 76,
  'fenced-for-ever': 77,
};

import type { Offset } from '../base/index.ts';

/** What the checkpoints of a directory say of one log. */
export interface LogCheckpoint {
  /** A lower bound of the committed offset. */
  readonly highWatermark: Offset;
  /** A promise: everything below it is on disk. */
  readonly recoveryPoint: Offset;
  /** Where the log begins for its readers; its files may begin earlier. */
  readonly logStart: Offset;
}

/** Of a log that no checkpoint names yet. */
export const NO_CHECKPOINT: LogCheckpoint = { highWatermark: 0, recoveryPoint: 0, logStart: 0 };

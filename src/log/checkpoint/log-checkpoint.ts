import type { Offset } from '../../base/index.ts';

/** What the checkpoints of a directory say of one log. */
export interface LogCheckpoint {
  /** A lower bound of the committed offset. */
  readonly highWatermark: Offset;
  /** A promise: everything below it is on disk. */
  readonly recoveryPoint: Offset;
  /** Where the log begins for its readers; its files may begin earlier. */
  readonly logStart: Offset;
  /** Below it the log was compacted. */
  readonly firstDirty: Offset;
}

/** Of a log that no checkpoint names yet. */
export const NO_CHECKPOINT: LogCheckpoint = {
  highWatermark: 0,
  recoveryPoint: 0,
  logStart: 0,
  firstDirty: 0,
};

/** Whether any offset of `one` is above that of `other`. */
export function promisesMore(one: LogCheckpoint, other: LogCheckpoint): boolean {
  return (
    one.highWatermark > other.highWatermark ||
    one.recoveryPoint > other.recoveryPoint ||
    one.logStart > other.logStart ||
    one.firstDirty > other.firstDirty
  );
}

/** Key by key the higher of each offset: what files may say of which some hold `one` and some `other`. */
export function highestOf(
  one: ReadonlyMap<string, LogCheckpoint>,
  other: ReadonlyMap<string, LogCheckpoint>,
): Map<string, LogCheckpoint> {
  const highest = new Map(one);
  for (const [key, checkpoint] of other) {
    const { highWatermark, recoveryPoint, logStart, firstDirty } = highest.get(key) ?? NO_CHECKPOINT;
    highest.set(key, {
      highWatermark: Math.max(highWatermark, checkpoint.highWatermark),
      recoveryPoint: Math.max(recoveryPoint, checkpoint.recoveryPoint),
      logStart: Math.max(logStart, checkpoint.logStart),
      firstDirty: Math.max(firstDirty, checkpoint.firstDirty),
    });
  }
  return highest;
}

/**
 * What there is to clean in a log, and whether it is worth it.
 *
 *   log start ... clean section ... first dirty ... dirty section ... uncleanable ... high watermark ... log end
 *
 * Everything below `firstDirty` was cleaned together once: it holds each key at most once. The dirty section ends where
 * the first segment begins that is not closed and durable, not wholly committed, or younger than
 * min.compaction.lag.ms. Only whole segments are cleaned.
 *
 * It is due when the dirty part of the cleanable bytes passes min.cleanable.dirty.ratio, or when something in it has
 * waited for longer than max.compaction.lag.ms. Source: Kafka's LogCleanerManager and LogToClean, KIP-58, KIP-354.
 */
import type { Offset, WallMs } from '../../../base/index.ts';

/** A closed, durable segment. */
export interface ClosedSegment {
  readonly baseOffset: Offset;
  /** Exclusive: where the next segment begins. */
  readonly endOffset: Offset;
  readonly sizeBytes: number;
  /** -1: it has no records. */
  readonly largestTimestampMs: WallMs;
  /** Of its first batch; -1: not known. */
  readonly firstTimestampMs: WallMs;
}

export interface CleaningRules {
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
}

export interface LogToPlan {
  /** Ascending, without a gap. */
  readonly closed: readonly ClosedSegment[];
  readonly logStartOffset: Offset;
  readonly highWatermark: Offset;
  /** As remembered; not believed where the log cannot be so. */
  readonly firstDirtyOffset: Offset;
}

export interface CleaningPlan {
  /** Everything below was cleaned before. */
  readonly firstDirtyOffset: Offset;
  /** Exclusive; equal to firstDirtyOffset: there is nothing to clean. */
  readonly endOffset: Offset;
  /** Dirty bytes of all that would be read, 0 to 1. */
  readonly dirtyRatio: number;
  readonly isDue: boolean;
  /** For how long something has waited beyond max.compaction.lag.ms. */
  readonly delayMs: number;
}

export function planCleaning(log: LogToPlan, rules: CleaningRules, nowMs: WallMs): CleaningPlan {
  const firstBase = log.closed[0]?.baseOffset ?? log.logStartOffset;
  const lastEnd = log.closed.at(-1)?.endOffset ?? firstBase;
  const start = Math.max(firstBase, log.logStartOffset);
  const remembered = log.firstDirtyOffset;
  const firstDirtyOffset = remembered < start || remembered > lastEnd ? start : remembered;
  let endOffset = firstDirtyOffset;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const segment of log.closed) {
    if (segment.endOffset <= firstDirtyOffset) {
      cleanBytes += segment.sizeBytes;
      continue;
    }
    const isYoung =
      rules.minCompactionLagMs > 0 && segment.largestTimestampMs > nowMs - rules.minCompactionLagMs;
    if (segment.endOffset > log.highWatermark || isYoung) break;
    endOffset = segment.endOffset;
    dirtyBytes += segment.sizeBytes;
    if (segment.firstTimestampMs > 0) earliestMs = Math.min(earliestMs, segment.firstTimestampMs);
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes);
  const delayMs = Math.max(0, nowMs - rules.maxCompactionLagMs - earliestMs);
  const isDue = delayMs > 0 || (dirtyBytes > 0 && dirtyRatio > rules.minCleanableDirtyRatio);
  return { firstDirtyOffset, endOffset, dirtyRatio, isDue, delayMs };
}

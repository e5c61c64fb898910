/**
 * Which head of a log retention.ms and retention.bytes no longer keep.
 *
 * From the front, a segment goes while its newest record is older than retention.ms, or while the rest without it still
 * reaches retention.bytes; never one that ends above the high watermark, and none without `delete` in cleanup.policy. The
 * active segment may go too: the log is rolled then, and its records go with the segment that was active.
 *
 * A segment with a timestamp in the future stays until that has come, as in Kafka; what a producer's clock may say is
 * bounded by message.timestamp.after.max.ms. One without any timestamp counts from the moment this process met it first,
 * where Kafka takes the time of its file: that changes whenever a directory is copied.
 * Source: Kafka's UnifiedLog.deleteOldSegments.
 */
import { NONE, type Offset, type WallMs } from '../base/index.ts';
import type { Segment } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

export interface RetainedLog {
  readonly segments: SegmentList;
  readonly logEndOffset: Offset;
  readonly highWatermark: Offset;
}

/** Where the log may begin: the base of a segment, or the end of the log when all of it may go. */
export async function retainedFrom(log: RetainedLog, nowMs: WallMs): Promise<Offset> {
  const { segments, highWatermark } = log;
  const { retentionMs, retentionBytes, deletes } = segments.config;
  let from = segments.all[0]?.baseOffset ?? 0;
  if (!deletes) return from;
  let excessBytes = retentionBytes < 0 ? 0 : segments.sizeBytes - retentionBytes;
  // What is appended or cut while the index of an old segment is read is no matter of this look.
  for (const { segment, endOffset } of endsOf(log)) {
    // An empty one is met when it has records.
    if (endOffset > highWatermark || (segment === segments.active && segment.sizeBytes === 0)) break;
    const tooMuch = excessBytes >= segment.sizeBytes && excessBytes > 0;
    if (!tooMuch && !(retentionMs >= 0 && nowMs - (await newestOf(segments, segment, nowMs)) > retentionMs))
      break;
    excessBytes -= segment.sizeBytes;
    from = endOffset;
  }
  return from;
}

function endsOf({ segments, logEndOffset }: RetainedLog): { segment: Segment; endOffset: Offset }[] {
  return segments.all.map((segment, i) => ({
    segment,
    endOffset: segments.all[i + 1]?.baseOffset ?? logEndOffset,
  }));
}

async function newestOf(segments: SegmentList, segment: Segment, nowMs: WallMs): Promise<WallMs> {
  // Not known before its index is read.
  if (segment.largestTimestampMs === NONE && segment.writtenBytes > 0)
    await segments.use(segment, () => Promise.resolve());
  segment.metMs ??= nowMs;
  return segment.largestTimestampMs === NONE ? segment.metMs : segment.largestTimestampMs;
}

import type { Offset, WallMs } from '../base/index.ts';
import type { LogConfig } from './log-config.ts';
import type { SegmentList } from './segment-list.ts';

/**
 * Where the log may begin by retention.ms and retention.bytes: the base of a segment at or below the high
 * watermark. From the front, a segment goes while its newest record is too old, or while the rest without
 * it still reaches the size; without `delete` in cleanup.policy none does. Source: Kafka's
 * UnifiedLog.deleteRetentionMsBreachedSegments and deleteRetentionSizeBreachedSegments.
 */
export function retainedFrom(
  segments: SegmentList,
  config: LogConfig,
  nowMs: WallMs,
  highWatermark: Offset,
): Offset {
  if (!config.deletes) return segments.all[0]?.baseOffset ?? 0;
  let excessBytes = config.retentionBytes < 0 ? 0 : segments.sizeBytes - config.retentionBytes;
  let from = segments.all[0]?.baseOffset ?? 0;
  for (const [i, segment] of segments.all.entries()) {
    const next = segments.all[i + 1];
    if (next === undefined || next.baseOffset > highWatermark) break;
    const tooOld = config.retentionMs >= 0 && nowMs - segment.largestTimestampMs > config.retentionMs;
    const tooMuch = excessBytes >= segment.sizeBytes && excessBytes > 0;
    if (!tooOld && !tooMuch) break;
    excessBytes -= segment.sizeBytes;
    from = next.baseOffset;
  }
  return from;
}

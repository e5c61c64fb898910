/**
 * Which head of a log retention.ms and retention.bytes no longer keep.
 *
 * From the front, a segment goes while its newest record is older than retention.ms, or while the rest without it still
 * reaches retention.bytes; never one that ends above the high watermark, and none without `delete` in cleanup.policy. The
 * active segment may go too: the log is rolled then, and its records go with the segment that was active.
 *
 * A segment with a timestamp in the future stays until that has come, as in Kafka; what a producer's clock may say is
 * bounded by message.timestamp.after.max.ms. One without any timestamp is taken to be as old as what follows it, and when
 * nothing does that has one, counts from the first look at which this process saw all of it. Kafka takes the time of its
 * file, which changes whenever a directory is copied.
 * Source: Kafka's UnifiedLog.deleteOldSegments.
 */
import { NONE, type Offset, type WallMs } from '../base/index.ts';
import type { Segment } from './segment/segment.ts';
import type { SegmentList } from './segment/segment-list.ts';

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
  const ages = new SegmentAges(segments, nowMs);
  const ends = segments.all.map((_, i) => segments.all[i + 1]?.baseOffset ?? log.logEndOffset);
  for (const [i, segment] of ages.all.entries()) {
    const endOffset = ends[i] ?? log.logEndOffset;
    // An empty one is met when it has records.
    if (endOffset > highWatermark || (segment === segments.active && segment.sizeBytes === 0)) break;
    const tooMuch = excessBytes >= segment.sizeBytes && excessBytes > 0;
    if (!tooMuch && !(retentionMs >= 0 && (await ages.of(i)) > retentionMs)) break;
    excessBytes -= segment.sizeBytes;
    from = endOffset;
  }
  return from;
}

/** How old the newest record of each segment is, asked for in ascending order. */
class SegmentAges {
  readonly all: readonly Segment[];
  readonly #segments: SegmentList;
  readonly #nowMs: WallMs;
  /** The first segment with a timestamp among those not passed. */
  #known = 0;

  constructor(segments: SegmentList, nowMs: WallMs) {
    this.all = [...segments.all];
    this.#segments = segments;
    this.#nowMs = nowMs;
    // All at once, not each when those before it are gone.
    for (const segment of this.all) {
      const { sizeBytes } = segment;
      if (segment.grown?.sizeBytes !== sizeBytes) segment.grown = { sizeBytes, byMs: nowMs };
    }
  }

  async of(index: number): Promise<number> {
    const segment = this.all[index];
    this.#known = Math.max(this.#known, index);
    let newestMs: WallMs = NONE;
    for (; this.#known < this.all.length; this.#known++) {
      newestMs = await this.#newestOf(this.all[this.#known]);
      if (newestMs !== NONE) break;
    }
    return this.#nowMs - (newestMs === NONE ? (segment?.grown?.byMs ?? this.#nowMs) : newestMs);
  }

  async #newestOf(segment: Segment | undefined): Promise<WallMs> {
    if (segment === undefined) return NONE;
    // Not known before its index is read.
    if (segment.largestTimestampMs === NONE && segment.writtenBytes > 0)
      await this.#segments.use(segment, () => Promise.resolve());
    return segment.largestTimestampMs;
  }
}

import type { Offset } from '../../../base/index.ts';

/** What a group must not exceed in sum: each becomes one segment. */
export interface GroupLimits {
  readonly segmentBytes: number;
  readonly indexBytes: number;
}

export interface SegmentToGroup {
  readonly baseOffset: Offset;
  /** Exclusive. */
  readonly endOffset: Offset;
  readonly sizeBytes: number;
  readonly indexBytes: number;
}

/** Offsets in an index are 31 bits above the base of the segment. */
const SPAN_MAX = 2 ** 31;

/**
 * Neighbours that fit into one segment together, judged by what they weigh before they are cleaned. A group is never
 * empty; one that is too large alone stays alone. Source: Kafka's Cleaner.groupSegmentsBySize.
 */
export function groupSegments<T extends SegmentToGroup>(segments: readonly T[], limits: GroupLimits): T[][] {
  const groups: T[][] = [];
  let current: T[] = [];
  let sizeBytes = 0;
  let indexBytes = 0;
  for (const segment of segments) {
    const base = current[0]?.baseOffset ?? segment.baseOffset;
    const fits =
      sizeBytes + segment.sizeBytes <= limits.segmentBytes &&
      indexBytes + segment.indexBytes <= limits.indexBytes &&
      segment.endOffset - base <= SPAN_MAX;
    if (current.length > 0 && !fits) {
      groups.push(current);
      current = [];
      sizeBytes = 0;
      indexBytes = 0;
    }
    current.push(segment);
    sizeBytes += segment.sizeBytes;
    indexBytes += segment.indexBytes;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}

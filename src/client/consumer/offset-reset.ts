/** Where to go on when a partition does not hold the position. Pure. */
import type { Offset } from '../../base/index.ts';
import type { OffsetReset } from './options.ts';

export interface OutOfRange {
  readonly position: Offset;
  /** High watermark last heard of; -1: none. */
  readonly seenEnd: Offset;
  /** What the partition holds: [first, end). */
  readonly first: Offset;
  readonly end: Offset;
  readonly reset: OffsetReset;
}

export type ResetDecision =
  | { readonly kind: 'stay' }
  /** `why`: for the log. */
  | { readonly kind: 'move'; readonly offset: Offset; readonly why: string }
  | { readonly kind: 'fail' };

export function decideReset({ position, seenEnd, first, end, reset }: OutOfRange): ResetDecision {
  if (position >= first && position <= end) return { kind: 'stay' };
  if (reset === 'none') return { kind: 'fail' };
  // The reader has been there: an unclean election cut the log. From the beginning all would be read twice.
  if (position > end && seenEnd >= position)
    return { kind: 'move', offset: end, why: 'the log lost its end' };
  const offset = reset === 'earliest' ? first : end;
  return {
    kind: 'move',
    offset,
    why: position < first ? 'the records were deleted' : 'it is beyond the end',
  };
}

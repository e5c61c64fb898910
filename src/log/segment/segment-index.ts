import { NONE, type Offset, type WallMs } from '../../base/index.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';

/** Both indexes of a segment, and the largest timestamp so far. Source: Kafka's LogSegment.append. */
export class SegmentIndex {
  readonly baseOffset: Offset;
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  #maxTimestampMs: WallMs;
  /** Last offset of the batch that brought the largest timestamp; below the base: of none. */
  #maxTimestampOffset: Offset;
  #bytesSinceEntry = 0;

  constructor(baseOffset: Offset, offsets = new OffsetIndex(baseOffset), times = new TimeIndex()) {
    this.baseOffset = baseOffset;
    this.offsets = offsets;
    this.times = times;
    this.#maxTimestampMs = times.last?.timestampMs ?? NONE;
    this.#maxTimestampOffset = times.last?.offset ?? baseOffset - 1;
  }

  /** -1: the segment is empty. */
  get maxTimestampMs(): WallMs {
    return this.#maxTimestampMs;
  }

  /** A batch now stands at `position`. */
  note(batch: IndexedBatch, position: number, intervalBytes: number): void {
    // Also when no batch bears any: the last time entry is held against the batch that it names.
    if (batch.maxTimestamp > this.#maxTimestampMs || this.#maxTimestampOffset < this.baseOffset) {
      this.#maxTimestampMs = batch.maxTimestamp;
      this.#maxTimestampOffset = batch.lastOffset;
    }
    if (this.#bytesSinceEntry > intervalBytes) {
      this.offsets.append(batch.lastOffset, position);
      this.times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset);
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += batch.sizeBytes;
  }

  /** The segment grows no more: its largest timestamp becomes the last time entry. */
  seal(): void {
    const isEmpty = this.offsets.count === 0 && this.#bytesSinceEntry === 0;
    if (isEmpty) return;
    this.times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset);
  }

  /** Takes over what `other` knows of batches that end at `from` or later; this index knows those before them. */
  goOnLike(other: SegmentIndex, from: Offset): void {
    for (const { offset, position } of other.offsets.entriesFrom(from)) this.offsets.append(offset, position);
    for (const { timestampMs, offset } of other.times.entriesFrom(from))
      this.times.maybeAppend(timestampMs, offset);
    if (other.#maxTimestampOffset >= from) {
      this.#maxTimestampMs = other.#maxTimestampMs;
      this.#maxTimestampOffset = other.#maxTimestampOffset;
    }
    this.#bytesSinceEntry = other.#bytesSinceEntry;
  }

  /**
   * Forgets what is known of batches at or after `offset`; those after the last entry must then be noted
   * again.
   */
  truncateTo(offset: Offset): void {
    this.offsets.truncateTo(offset);
    this.times.truncateTo(offset);
    this.#maxTimestampMs = this.times.last?.timestampMs ?? NONE;
    this.#maxTimestampOffset = this.times.last?.offset ?? this.baseOffset - 1;
    this.#bytesSinceEntry = 0;
  }
}

export interface IndexedBatch {
  readonly lastOffset: Offset;
  readonly maxTimestamp: WallMs;
  readonly sizeBytes: number;
}

import { CorruptionError, type Offset } from '../../base/index.ts';
import type { EpochCache } from '../epoch/epoch-cache.ts';
import type { BatchHeader } from '../record/index.ts';
import type { Segment } from '../segment/segment.ts';
import type { ScanEnd } from '../segment/segment-scan.ts';

/**
 * What is known, before the last segment is read, of the part of it that was synced: a batch ends where that part ends, and
 * the epochs of its batches are in their file. Neither the offset nor the epoch of a batch is covered by its CRC.
 */
export class SyncedPart {
  readonly #segment: Segment;
  readonly #recoveryPoint: Offset;
  readonly #epochs: EpochCache;
  #isReached: boolean;

  /** `epochs`: as saved. */
  constructor(segment: Segment, recoveryPoint: Offset, epochs: EpochCache) {
    this.#segment = segment;
    this.#recoveryPoint = recoveryPoint;
    this.#epochs = epochs;
    this.#isReached = recoveryPoint <= segment.baseOffset;
  }

  /** The next batch of a scan from the start of the file or from a batch of the part. Throws CorruptionError. */
  check({ lastOffset, leaderEpoch }: BatchHeader, position: number): void {
    if (this.#isReached) return;
    if (lastOffset >= this.#recoveryPoint)
      throw this.#damage(
        position,
        `a batch that ends at ${this.#recoveryPoint - 1} or before`,
        `${lastOffset}`,
      );
    this.#isReached = lastOffset === this.#recoveryPoint - 1;
    const epoch = this.#epochs.epochAt(lastOffset);
    if (epoch !== undefined && epoch !== leaderEpoch)
      throw this.#damage(position, `leader epoch ${epoch}`, `${leaderEpoch}`);
  }

  /** The scan has ended. Throws CorruptionError when that was within the part, or at a batch that is whole and out of place. */
  assertWhole(end: ScanEnd): void {
    if (!this.#isReached)
      throw this.#damage(
        end.position,
        `batches up to the synced offset ${this.#recoveryPoint}`,
        end.problem ?? 'the end of the file',
      );
    if (end.isMisplaced) throw this.#damage(end.position, 'batches in order', end.problem ?? 'others');
  }

  #damage(position: number, expected: string, found: string): CorruptionError {
    return new CorruptionError(this.#segment.logPath, position, expected, found);
  }
}

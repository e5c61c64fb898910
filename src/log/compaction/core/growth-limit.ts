/** A position in a segment is an i32, in the index as everywhere in Kafka. */
const POSITION_MAX = 2 ** 31 - 1;

/**
 * Keeps a group of segments, while it is written anew, from becoming larger than a segment can be. A batch grows when its
 * tombstones get their horizon. One for which there would be no room stays as it was, with all its records, until a later
 * cleaning:
 *
 *   written + still to be read <= POSITION_MAX
 */
export class GrowthLimit {
  readonly #sizeMax: number;
  #sizeBytes: number;

  /** `groupBytes`: of all batches of the group as they are; a group that is larger than `sizeMax` must not grow. */
  constructor(groupBytes: number, sizeMax = POSITION_MAX) {
    this.#sizeMax = sizeMax;
    this.#sizeBytes = groupBytes;
  }

  /** What is written of the next batch: what is `left` of it, when that fits. */
  choose(batch: Uint8Array, left: Uint8Array | undefined): Uint8Array | undefined {
    const growth = (left?.length ?? 0) - batch.length;
    if (growth > 0 && this.#sizeBytes + growth > this.#sizeMax) return batch;
    this.#sizeBytes += growth;
    return left;
  }
}

/**
 * Which partition a record goes to. Pure.
 *
 * A key decides by murmur2, as in every Kafka client, so that equal keys keep their order. Records without a
 * key stick to one partition until a batch's worth of bytes went there, then move to another at random.
 * Source: KIP-480, KIP-794.
 */
import type { PartitionId, Random } from '../../base/index.ts';
import { partitionForKey } from '../../log/record/index.ts';

/**
 * Chooses a partition from 0 to `partitions` - 1; undefined leaves it to the default. `key` is absent when
 * the record has none.
 */
export type Partitioner = (
  record: { readonly topic: string; readonly key?: Uint8Array; readonly value?: Uint8Array },
  partitions: number,
) => PartitionId | undefined;

export { partitionForKey };

/** Of one topic. */
export class StickyPartition {
  readonly #random: Random;
  readonly #stickBytes: number;
  #partition: PartitionId = -1;
  #bytes = 0;

  constructor(random: Random, stickBytes: number) {
    this.#random = random;
    this.#stickBytes = stickBytes;
  }

  /** Partition of the next keyless record of about `bytes`; of those that have a leader, when any has. */
  next(bytes: number, partitions: number, hasLeader: (partition: PartitionId) => boolean): PartitionId {
    if (this.#partition < 0 || this.#bytes >= this.#stickBytes) this.#move(partitions, hasLeader);
    this.#bytes += bytes;
    return this.#partition;
  }

  #move(partitions: number, hasLeader: (partition: PartitionId) => boolean): void {
    const start = this.#random.integer(0, partitions);
    let chosen = start;
    for (let step = 0; step < partitions; step++) {
      const candidate = (start + step) % partitions;
      if (!hasLeader(candidate) || (candidate === this.#partition && partitions > 1)) continue;
      chosen = candidate;
      break;
    }
    this.#partition = chosen;
    this.#bytes = 0;
  }
}

import type { PartitionId } from '../../base/index.ts';

/** A map by topic (name or id) and partition that builds no key per look-up. */
export class PartitionMap<T> {
  readonly #topics = new Map<string, Map<PartitionId, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(topic: string, partition: PartitionId): T | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  set(topic: string, partition: PartitionId, value: T): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    if (!partitions.has(partition)) this.#size++;
    partitions.set(partition, value);
  }

  delete(topic: string, partition: PartitionId): void {
    const partitions = this.#topics.get(topic);
    if (partitions?.delete(partition) !== true) return;
    this.#size--;
    if (partitions.size === 0) this.#topics.delete(topic);
  }

  /** Those of one topic, in no order. */
  ofTopic(topic: string): Iterable<T> {
    return this.#topics.get(topic)?.values() ?? [];
  }

  *values(): Iterable<T> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }

  clear(): void {
    this.#topics.clear();
    this.#size = 0;
  }
}

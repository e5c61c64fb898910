import type { PartitionId } from '../../base/index.ts';

/** A map by topic (name or id) and partition that builds no key per look-up. */
export class PartitionMap<T> {
  readonly #topics = new Map<string, Map<PartitionId, T>>();
  #size = 0;
  /** Of all topics; undefined after a change. */
  #values: readonly T[] | undefined;

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
    this.#values = undefined;
  }

  delete(topic: string, partition: PartitionId): void {
    const partitions = this.#topics.get(topic);
    if (partitions?.delete(partition) !== true) return;
    this.#size--;
    this.#values = undefined;
    if (partitions.size === 0) this.#topics.delete(topic);
  }

  /** Those of one topic, in no order. */
  ofTopic(topic: string): Iterable<T> {
    return this.#topics.get(topic)?.values() ?? [];
  }

  /** As they are now: what changes meanwhile changes nothing of it. */
  values(): readonly T[] {
    this.#values ??= [...this.#topics.values()].flatMap((partitions) => [...partitions.values()]);
    return this.#values;
  }

  clear(): void {
    this.#topics.clear();
    this.#values = undefined;
    this.#size = 0;
  }
}

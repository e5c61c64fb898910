import type { PartitionId, Uuid } from '../../base/index.ts';
import type { Partition } from './partition.ts';
import { PartitionMap } from './partition-map.ts';

/** The partitions of this broker by id, and by name: while a topic is made again, the name is the newer one's. */
export class HostedPartitions {
  readonly #byName = new PartitionMap<Partition>();
  readonly #byId = new PartitionMap<Partition>();

  get count(): number {
    return this.#byId.size;
  }

  find(topic: string, partition: PartitionId): Partition | undefined {
    return this.#byName.find(topic, partition);
  }

  findById(topicId: Uuid, partition: PartitionId): Partition | undefined {
    return this.#byId.find(topicId, partition);
  }

  values(): Iterable<Partition> {
    return this.#byId.values();
  }

  ofTopic(topic: string): Iterable<Partition> {
    return this.#byName.ofTopic(topic);
  }

  add(partition: Partition): void {
    this.#byId.set(partition.topicId, partition.partition, partition);
    this.#byName.set(partition.topic, partition.partition, partition);
  }

  remove({ topic, topicId, partition: id }: Partition): void {
    const hosted = this.#byId.find(topicId, id);
    this.#byId.delete(topicId, id);
    if (this.#byName.find(topic, id) === hosted) this.#byName.delete(topic, id);
  }

  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
  }
}

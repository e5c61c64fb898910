/** Who has left an in-sync set, by the newest metadata that any node has. */
import { NONE, type NodeId, type PartitionEpoch, type Uuid } from '../../../../base/index.ts';
import type { MetadataImage } from '../../../../metadata/index.ts';

/** A partition whose replicas were seen. */
interface Place {
  readonly topicId: Uuid;
  readonly name: string;
}

export class MemberNews {
  #newest: Pick<MetadataImage, 'offset' | 'topics'> | undefined;

  see(image: Pick<MetadataImage, 'offset' | 'topics'>): void {
    if (image.offset > (this.#newest?.offset ?? NONE)) this.#newest = image;
  }

  /**
   * Whether `id` has left the in-sync set after `known`: a leader that has heard no more than that counts on it still. Who is
   * about to join, or never was a member, has not left. With the topic all have left.
   */
  hasLeft(id: NodeId, { topicId, name }: Place, known: PartitionEpoch): boolean {
    if (this.#newest === undefined) return false;
    const topic = this.#newest.topics.findById(topicId);
    const newest = topic?.partitions[Number(name.slice(name.lastIndexOf('-') + 1))];
    return newest === undefined || (newest.partitionEpoch > known && !newest.isr.includes(id));
  }
}

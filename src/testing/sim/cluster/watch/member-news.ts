/** Who has left an in-sync set, by the newest metadata that any node has. */
import { NONE, type NodeId, type PartitionEpoch } from '../../../../base/index.ts';
import type { MetadataImage } from '../../../../metadata/index.ts';

export class MemberNews {
  #newest: Pick<MetadataImage, 'offset' | 'topics'> | undefined;

  see(image: Pick<MetadataImage, 'offset' | 'topics'>): void {
    if (image.offset > (this.#newest?.offset ?? NONE)) this.#newest = image;
  }

  /**
   * Whether `id` has left the in-sync set after `known`: a leader that has heard no more than that counts on it still. Who is
   * about to join, or never was a member, has not left.
   */
  hasLeft(id: NodeId, partitionName: string, known: PartitionEpoch): boolean {
    const dash = partitionName.lastIndexOf('-');
    const topic = this.#newest?.topics.byName.get(partitionName.slice(0, dash));
    const newest = topic?.partitions[Number(partitionName.slice(dash + 1))];
    return newest !== undefined && newest.partitionEpoch > known && !newest.isr.includes(id);
  }
}

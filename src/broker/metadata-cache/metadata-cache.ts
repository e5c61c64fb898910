import type { NodeId, PartitionId } from '../../base/index.ts';
import { EMPTY_IMAGE, type ImageDelta, type MetadataImage } from '../../metadata/index.ts';
import type { Address, BrokerListener } from '../../rpc/api/index.ts';
import { listenerOf, type PartitionPlace, placeOf } from './partition-place.ts';

/**
 * The newest published image, for whoever answers a request.
 *
 * The first publisher of a broker: everything that acts on a change afterwards finds the new leaders and addresses here.
 */
export class MetadataCache {
  readonly name = 'metadata-cache';
  #image: MetadataImage = EMPTY_IMAGE;

  get image(): MetadataImage {
    return this.#image;
  }

  publish(_delta: ImageDelta, image: MetadataImage): void {
    this.#image = image;
  }

  place(topic: string, partition: PartitionId): PartitionPlace {
    return placeOf(this.#image, topic, partition);
  }

  /** Where a registered broker listens, fenced or not. */
  findAddress(nodeId: NodeId, listener: BrokerListener['name']): Address | undefined {
    return listenerOf(this.#image, nodeId, listener);
  }
}

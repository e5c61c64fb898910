import type { NodeId } from '../../base/index.ts';
import { imageDigest, type MetadataImage } from '../../metadata/index.ts';
import type { ImageDigestReply } from '../../rpc/api/index.ts';
import type { MetadataCache } from './metadata-cache.ts';

/** The digest of the published image, computed when asked for and once per image: it costs an encoding of all of it. */
export class ImageDigests {
  readonly #nodeId: NodeId;
  readonly #cache: MetadataCache;
  #last: { readonly image: MetadataImage; readonly reply: ImageDigestReply } | undefined;

  constructor(nodeId: NodeId, cache: MetadataCache) {
    this.#nodeId = nodeId;
    this.#cache = cache;
  }

  get(): ImageDigestReply {
    const { image } = this.#cache;
    if (this.#last?.image !== image) {
      const reply = { nodeId: this.#nodeId, offset: image.offset, digest: imageDigest(image) };
      this.#last = { image, reply };
    }
    return this.#last.reply;
  }
}

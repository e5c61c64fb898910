/**
 * Of the metadata image, as controllers and brokers have it:
 *
 *   at an offset it is the same everywhere, and the same after a restart, which reads the log from its beginning
 *   in one life its offset does not fall; nor do leader epochs, partition epochs and broker epochs from one to the next
 *   the in-sync set is not empty and within the replicas; a leader is in it, and is not fenced
 *
 * Source: KIP-500, KIP-631, KIP-841.
 */
import { NONE, type Offset } from '../../../../base/index.ts';
import { EMPTY_IMAGE, imageDigest, type MetadataImage, type TopicImage } from '../../../../metadata/index.ts';
import { LawBroken } from '../law-broken.ts';

/** Offsets whose digests are remembered; who is further behind is not compared. */
const DIGESTS_MAX = 20_000;

/** Digests are dear, and what differs once differs from there on: images are compared at offsets that this divides. */
const COMPARED_OFFSETS = 4;

/** One process, from the image it has first to its last. */
export class ImageLife {
  image: MetadataImage = EMPTY_IMAGE;
  #digested: MetadataImage | undefined;
  #digest = '';

  /** Of the image it has now. */
  digest(): string {
    if (this.#digested === undefined || !hasSameParts(this.#digested, this.image))
      this.#digest = imageDigest(this.image);
    this.#digested = this.image;
    return this.#digest;
  }
}

export class ImageLaws {
  readonly #digests = new Map<Offset, { readonly digest: string; readonly node: string }>();

  /** `node` has `image` now. */
  see(life: ImageLife, node: string, image: MetadataImage): void {
    const before = life.image;
    if (image.offset < before.offset)
      throw new LawBroken('the offset of an image does not fall', {
        node,
        from: before.offset,
        to: image.offset,
      });
    if (!hasSameParts(before, image)) {
      checkBrokers(before, image);
      for (const topic of image.topics.byName.values()) checkTopic(node, before, image, topic);
    }
    life.image = image;
    if (image.offset % COMPARED_OFFSETS === 0) this.#compare(node, image.offset, life.digest());
  }

  #compare(node: string, offset: Offset, digest: string): void {
    const known = this.#digests.get(offset);
    if (known === undefined) {
      this.#digests.set(offset, { digest, node });
      if (this.#digests.size <= DIGESTS_MAX) return;
      for (const oldest of this.#digests.keys()) {
        this.#digests.delete(oldest);
        return;
      }
    } else if (known.digest !== digest)
      throw new LawBroken('an image is the same everywhere', {
        offset,
        [known.node]: known.digest,
        [node === known.node ? `${node} later` : node]: digest,
      });
  }
}

function hasSameParts(a: MetadataImage, b: MetadataImage): boolean {
  return (
    a.topics === b.topics &&
    a.cluster === b.cluster &&
    a.configs === b.configs &&
    a.features === b.features &&
    a.producerIds === b.producerIds
  );
}

function checkBrokers(before: MetadataImage, { cluster }: MetadataImage): void {
  if (cluster === before.cluster) return;
  for (const [id, { epoch }] of cluster.brokers) {
    const from = before.cluster.brokers.get(id)?.epoch ?? NONE;
    if (epoch < from) throw new LawBroken('a broker epoch does not fall', { broker: id, from, to: epoch });
  }
}

function checkTopic(node: string, before: MetadataImage, image: MetadataImage, topic: TopicImage): void {
  const old = before.topics.find(topic.name);
  const isOldTopic = old?.id === topic.id;
  if (isOldTopic && old === topic && before.cluster === image.cluster) return;
  for (const [
    partition,
    { isr, replicas, leader, leaderEpoch, partitionEpoch },
  ] of topic.partitions.entries()) {
    const facts = {
      node,
      offset: image.offset,
      partition: `${topic.name}-${partition}`,
      isr,
      replicas,
      leader,
    };
    if (isr.length === 0) throw new LawBroken('an in-sync set is not empty', facts);
    if (!isr.every((id) => replicas.includes(id)))
      throw new LawBroken('an in-sync set is within the replicas', facts);
    if (leader !== NONE && !isr.includes(leader)) throw new LawBroken('a leader is in sync', facts);
    if (leader !== NONE && image.cluster.brokers.get(leader)?.fenced !== false)
      throw new LawBroken('a leader is not fenced', facts);
    const was = isOldTopic ? old.partitions[partition] : undefined;
    if (was === undefined) continue;
    if (leaderEpoch < was.leaderEpoch)
      throw new LawBroken('a leader epoch does not fall', {
        ...facts,
        from: was.leaderEpoch,
        to: leaderEpoch,
      });
    if (partitionEpoch < was.partitionEpoch)
      throw new LawBroken('a partition epoch does not fall', {
        ...facts,
        from: was.partitionEpoch,
        to: partitionEpoch,
      });
  }
}

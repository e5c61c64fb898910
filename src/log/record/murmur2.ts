import type { PartitionId } from '../../base/index.ts';

/**
 * MurmurHash2, 32 bits, with Kafka's seed, as a signed number: all clients must agree on it, for it chooses
 * a key's partition. Source: Kafka's Utils.murmur2; Austin Appleby's MurmurHash2.
 */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995;
  const { length } = bytes;
  let hash = 0x9747b28c ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word = Math.imul(word ^ (word >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  const rest = length - at;
  if (rest > 2) hash ^= (bytes[at + 2] as number) << 16;
  if (rest > 1) hash ^= (bytes[at + 1] as number) << 8;
  if (rest > 0) hash = Math.imul(hash ^ (bytes[at] as number), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return (hash ^ (hash >>> 15)) | 0;
}

/**
 * The partition of a keyed record: murmur2 without its sign bit, modulo the `partitions` of the topic (1 or
 * more).
 */
export function partitionForKey(key: Uint8Array, partitions: number): PartitionId {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/**
 * xxHash32 with seed 0, the checksum inside LZ4 frames. Only their headers (at most 15 bytes) are hashed
 * here: the batch's own CRC covers the rest. Source: "xxHash fast digest algorithm", Yann Collet.
 */
import { readInt32 } from './bytes.ts';

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** `bytes` has fewer than 16 bytes: the short form of the algorithm. Unsigned. */
export function xxhash32Short(bytes: Uint8Array): number {
  let hash = (PRIME_5 + bytes.length) | 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const word = swap(readInt32(bytes, at));
    hash = Math.imul(rotateLeft((hash + Math.imul(word, PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < bytes.length; at++) {
    hash = Math.imul(rotateLeft((hash + Math.imul(bytes[at] as number, PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

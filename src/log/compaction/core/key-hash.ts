/**
 * 128 bits of a key under a secret of 128 bits: HalfSipHash-2-4 with 64 bits of output, twice, with two secrets.
 *
 * Two keys that meet would make the cleaner drop a record that nothing replaced, so chance must not do it (2^-128
 * per pair), nor somebody who may choose keys but does not know the secret, which is drawn for each cleaning.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), reference code of HalfSipHash.
 */
import { readInt32 } from '../../record/index.ts';

export const SECRET_BYTES = 16;

export class KeyHash {
  readonly #k0: number;
  readonly #k1: number;
  readonly #k2: number;
  readonly #k3: number;
  /** The four words of the last key hashed. */
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  #low = 0;
  #high = 0;

  constructor(secret: Uint8Array) {
    this.#k0 = readInt32(secret, 0);
    this.#k1 = readInt32(secret, 4);
    this.#k2 = readInt32(secret, 8);
    this.#k3 = readInt32(secret, 12);
  }

  /** Hashes [start, end) of `bytes` into a, b, c, d. */
  hash(bytes: Uint8Array, start: number, end: number): void {
    this.#half(bytes, start, end, this.#k0, this.#k1);
    this.a = this.#low;
    this.b = this.#high;
    this.#half(bytes, start, end, this.#k2, this.#k3);
    this.c = this.#low;
    this.d = this.#high;
  }

  #half(bytes: Uint8Array, start: number, end: number, k0: number, k1: number): void {
    let v0 = k0;
    let v1 = k1 ^ 0xee;
    let v2 = 0x6c796765 ^ k0;
    let v3 = 0x74656462 ^ k1;
    const length = end - start;
    // One block of four bytes per turn, the last with the length; then the finalization, two turns for each word.
    const blocks = (length >>> 2) + 1;
    const turns = blocks + 4;
    for (let turn = 0; turn < turns; turn++) {
      let word = 0;
      if (turn < blocks - 1) {
        const at = start + turn * 4;
        word =
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24);
      } else if (turn === blocks - 1) {
        word = (length << 24) | lastBytes(bytes, start + turn * 4, end);
      } else if (turn === blocks) v2 ^= 0xee;
      else if (turn === blocks + 2) {
        this.#low = v1 ^ v3;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      for (let round = 0; round < 2; round++) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    this.#high = v1 ^ v3;
  }
}

function lastBytes(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let shift = 0; at < end; at++, shift += 8) word |= (bytes[at] as number) << shift;
  return word;
}

/**
 * The last offset of each key of the dirty section, in one block of memory of fixed size.
 *
 *   slot: { hash of the key, 4 words i32 | offset + 1, f64 }      24 bytes; 0: free
 *
 * Keys are not kept, only 128 bits of hash (see KeyHash), so an entry costs the same whatever a key weighs. Open
 * addressing, linear probing, nothing is ever removed. Fresh memory is all free slots as it comes from the system: to fill
 * it would hold the process up. Source: Kafka's SkimpyOffsetMap.
 */
import { assert, type Offset } from '../../../base/index.ts';
import { KeyHash } from './key-hash.ts';

const SLOT_BYTES = 24;
const SLOT_WORDS = SLOT_BYTES / 4;
const SLOT_DOUBLES = SLOT_BYTES / 8;
/** Beyond, probing gets long: a search for a key that is not there takes 8 steps at this load, 50 at 0.9. */
const LOAD_MAX = 0.75;

export class KeyMap {
  readonly #hash: KeyHash;
  readonly #slots: number;
  readonly #words: Int32Array;
  readonly #offsets: Float64Array;
  /** Keys it can hold. */
  readonly capacity: number;
  /** The same with all the memory it may take. */
  readonly capacityMax: number;
  #count = 0;

  /** At most `limitBytes`, and no more than `keys` different keys need. `secret`: see KeyHash. */
  constructor(limitBytes: number, keys: number, secret: Uint8Array) {
    const slotsMax = Math.floor(limitBytes / SLOT_BYTES);
    this.#slots = Math.max(1, Math.min(slotsMax, Math.ceil(keys / LOAD_MAX) + 1));
    this.capacity = Math.floor(this.#slots * LOAD_MAX);
    this.capacityMax = Math.floor(Math.max(1, slotsMax) * LOAD_MAX);
    const memory = new ArrayBuffer(this.#slots * SLOT_BYTES);
    this.#words = new Int32Array(memory);
    this.#offsets = new Float64Array(memory);
    this.#hash = new KeyHash(secret);
  }

  get count(): number {
    return this.#count;
  }

  /** How many more keys fit. */
  get room(): number {
    return this.capacity - this.#count;
  }

  /** The key in [start, end) of `bytes` was last written at `offset`; offsets grow. There must be room. */
  put(bytes: Uint8Array, start: number, end: number, offset: Offset): void {
    const slot = this.#find(bytes, start, end);
    const at = slot * SLOT_WORDS;
    if (this.#offsets[slot * SLOT_DOUBLES + 2] === 0) {
      assert(this.room > 0, 'the map has room for the key', { capacity: this.capacity });
      const { a, b, c, d } = this.#hash;
      this.#words[at] = a;
      this.#words[at + 1] = b;
      this.#words[at + 2] = c;
      this.#words[at + 3] = d;
      this.#count++;
    }
    this.#offsets[slot * SLOT_DOUBLES + 2] = offset + 1;
  }

  /** Where the key was last written; -1: not in the dirty section. */
  get(bytes: Uint8Array, start: number, end: number): Offset {
    return (this.#offsets[this.#find(bytes, start, end) * SLOT_DOUBLES + 2] as number) - 1;
  }

  /** The slot of the key, or the free one where it belongs. Ends, for some slots are always free. */
  #find(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash;
    hash.hash(bytes, start, end);
    const { a, b, c, d } = hash;
    const words = this.#words;
    let slot = (a >>> 0) % this.#slots;
    for (;;) {
      const at = slot * SLOT_WORDS;
      if (this.#offsets[slot * SLOT_DOUBLES + 2] === 0) return slot;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
  }
}

/**
 * What came out of a stream of compressed blocks so far. It holds the stream to two limits:
 *
 *   bytes    no more than `limitBytes` in all
 *   blocks   1024, and one more for each KiB that came out
 *
 * The second one bounds what a stream costs that has a million blocks of a byte: each costs a call into a library and
 * an object. Writers fill blocks of 1 KiB (the smallest of snappy-java) to 4 MiB, but for the last one and where they
 * flush.
 */
import { InflateError } from './inflate-error.ts';

const FREE_BLOCKS = 1024;
const BLOCK_BYTES_MIN = 1024;

export class InflatedBlocks {
  readonly #limitBytes: number;
  readonly #blocks: Buffer[] = [];
  #totalBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What may still come out. */
  get roomBytes(): number {
    return this.#limitBytes - this.#totalBytes;
  }

  /** Keeps the memory of `block`. Throws {@link InflateError}. */
  add(block: Buffer): void {
    if (block.length > this.roomBytes)
      throw new InflateError('too-large', `inflates to more than ${this.#limitBytes} bytes`);
    this.#blocks.push(block);
    this.#totalBytes += block.length;
    const blocksMax = FREE_BLOCKS + this.#totalBytes / BLOCK_BYTES_MIN;
    if (this.#blocks.length > blocksMax)
      throw new InflateError(
        'malformed',
        `${this.#blocks.length} blocks hold ${this.#totalBytes} bytes, less than ${BLOCK_BYTES_MIN} each`,
      );
  }

  /** All of it; the memory of the block when there is one only. */
  toBuffer(): Buffer {
    const [only] = this.#blocks;
    return this.#blocks.length === 1 && only !== undefined
      ? only
      : Buffer.concat(this.#blocks, this.#totalBytes);
  }
}

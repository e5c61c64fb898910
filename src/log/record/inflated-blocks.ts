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

/** The sizes alone. */
export class BlockSizes {
  readonly #limitBytes: number;
  #count = 0;
  totalBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What may still come out. */
  get roomBytes(): number {
    return this.#limitBytes - this.totalBytes;
  }

  /** One block more. Throws {@link InflateError}. */
  add(sizeBytes: number): void {
    if (sizeBytes > this.roomBytes)
      throw new InflateError('too-large', `inflates to more than ${this.#limitBytes} bytes`);
    this.#count++;
    this.totalBytes += sizeBytes;
    if (this.#count > FREE_BLOCKS + this.totalBytes / BLOCK_BYTES_MIN)
      throw new InflateError(
        'malformed',
        `${this.#count} blocks hold ${this.totalBytes} bytes, less than ${BLOCK_BYTES_MIN} each`,
      );
  }
}

export class InflatedBlocks {
  readonly #sizes: BlockSizes;
  readonly #blocks: Buffer[] = [];

  constructor(limitBytes: number) {
    this.#sizes = new BlockSizes(limitBytes);
  }

  /** What may still come out. */
  get roomBytes(): number {
    return this.#sizes.roomBytes;
  }

  /** Keeps the memory of `block`. Throws {@link InflateError}. */
  add(block: Buffer): void {
    this.#sizes.add(block.length);
    this.#blocks.push(block);
  }

  /** All of it; the memory of the block when there is one only. */
  toBuffer(): Buffer {
    const [only] = this.#blocks;
    return this.#blocks.length === 1 && only !== undefined
      ? only
      : Buffer.concat(this.#blocks, this.#sizes.totalBytes);
  }
}

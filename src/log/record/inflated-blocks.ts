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
/** Less is put together at the end; more is copied as it comes, so that it is not in memory twice. */
const GATHERED_BYTES = 1024 * 1024;

export class InflatedBlocks {
  readonly #limitBytes: number;
  #blocks: Buffer[] = [];
  #count = 0;
  #totalBytes = 0;
  /** Room for all that may come; the system gives what is written to. */
  #memory: Buffer | undefined;

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
    this.#count++;
    const totalBytes = this.#totalBytes + block.length;
    if (this.#count > FREE_BLOCKS + totalBytes / BLOCK_BYTES_MIN)
      throw new InflateError(
        'malformed',
        `${this.#count} blocks hold ${totalBytes} bytes, less than ${BLOCK_BYTES_MIN} each`,
      );
    if (this.#memory === undefined && this.#count > 1 && totalBytes > GATHERED_BYTES) this.#gather();
    if (this.#memory === undefined) this.#blocks.push(block);
    else block.copy(this.#memory, this.#totalBytes);
    this.#totalBytes = totalBytes;
  }

  /** All of it; the memory of the block when there is one only. */
  toBuffer(): Buffer {
    if (this.#memory !== undefined) return this.#memory.subarray(0, this.#totalBytes);
    const [only] = this.#blocks;
    return this.#blocks.length === 1 && only !== undefined
      ? only
      : Buffer.concat(this.#blocks, this.#totalBytes);
  }

  #gather(): void {
    const memory = Buffer.allocUnsafeSlow(this.#limitBytes);
    let at = 0;
    for (const block of this.#blocks) at += block.copy(memory, at);
    this.#blocks = [];
    this.#memory = memory;
  }
}

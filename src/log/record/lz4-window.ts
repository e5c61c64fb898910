/** How far back a linked block of LZ4 may refer. */
const WINDOW_BYTES = 65_536;

/**
 * The last 64 KiB that came out of an LZ4 frame, in one piece. However small the blocks, each byte is copied at most
 * twice: the window slides through memory twice its size.
 */
export class Lz4Window {
  readonly #memory = Buffer.allocUnsafe(2 * WINDOW_BYTES);
  #end = 0;

  /** Valid until the next `add`. */
  get bytes(): Buffer {
    return this.#memory.subarray(Math.max(0, this.#end - WINDOW_BYTES), this.#end);
  }

  add(block: Buffer): void {
    const last = block.length <= WINDOW_BYTES ? block : block.subarray(block.length - WINDOW_BYTES);
    if (this.#end + last.length > this.#memory.length) {
      this.#memory.copyWithin(0, this.#end - WINDOW_BYTES, this.#end);
      this.#end = WINDOW_BYTES;
    }
    last.copy(this.#memory, this.#end);
    this.#end += last.length;
  }
}

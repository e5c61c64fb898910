/**
 * What it costs in memory to keep pieces of larger buffers: a piece of a received message keeps all of it. A buffer
 * counts whole while any piece of it is held, and once.
 */
export class HeldBuffers {
  readonly #pieces = new Map<ArrayBufferLike, number>();
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  hold({ buffer, byteLength }: Uint8Array): void {
    // Nobody holds another piece of it: that is most of the cost of a map of all of them.
    if (byteLength === buffer.byteLength) {
      this.#sizeBytes += byteLength;
      return;
    }
    const pieces = this.#pieces.get(buffer) ?? 0;
    if (pieces === 0) this.#sizeBytes += buffer.byteLength;
    this.#pieces.set(buffer, pieces + 1);
  }

  release({ buffer, byteLength }: Uint8Array): void {
    if (byteLength === buffer.byteLength) {
      this.#sizeBytes -= byteLength;
      return;
    }
    const left = (this.#pieces.get(buffer) ?? 0) - 1;
    if (left > 0) {
      this.#pieces.set(buffer, left);
      return;
    }
    if (this.#pieces.delete(buffer)) this.#sizeBytes -= buffer.byteLength;
  }
}

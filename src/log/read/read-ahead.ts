/**
 * Memory for what is read of files ahead of the readers that go on where they ended: one read of a file serves several
 * small steps. Windows belong to the places of readers (see read-cursors.ts); this bounds them over all logs of a broker.
 * Batches are handed out as pieces of a window, which lives until the last of them is sent, so it counts whole.
 *
 * Law: a window that is used stays. It makes room only when its reader has not come back for so many reads of others;
 * until then these read what they are asked for and no more. So that with any number of readers, in whatever order, what
 * is read and thrown away stays a small part of what is read.
 */

/** Of one read of a file, for who asks for less. */
export const READ_AHEAD_BYTES = 512 * 1024;
/** Of all logs. At the bound reads are as large as they are asked for. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** Asked for room so often, in vain, a broker takes it from the window that has not been used for as long. */
const IDLE_REQUESTS = 4096;

export const NOTHING: Buffer = Buffer.alloc(0);

/** Who keeps bytes that were read ahead, of a buffer of their own. */
export interface AheadHolder {
  ahead: Buffer;
}

interface Held {
  readonly bytes: number;
  readonly request: number;
}

export class ReadAhead {
  readonly #limitBytes: number;
  /** The one that has not been used for longest first. */
  readonly #held = new Map<AheadHolder, Held>();
  #sizeBytes = 0;
  #requests = 0;

  constructor(limitBytes: number = HELD_BYTES_MAX) {
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** True: there is room for a window. */
  ask(): boolean {
    this.#requests++;
    if (this.#hasRoom(READ_AHEAD_BYTES)) return true;
    const [oldest] = this.#held;
    if (oldest === undefined || this.#requests - oldest[1].request < IDLE_REQUESTS) return false;
    this.release(oldest[0]);
    oldest[0].ahead = NOTHING;
    return this.#hasRoom(READ_AHEAD_BYTES);
  }

  /** Counts what the holder keeps; without room it keeps nothing. */
  hold(holder: AheadHolder): void {
    if (holder.ahead.length === 0) return;
    const bytes = holder.ahead.buffer.byteLength;
    if (!this.#hasRoom(bytes)) {
      holder.ahead = NOTHING;
      return;
    }
    this.#held.set(holder, { bytes, request: this.#requests });
    this.#sizeBytes += bytes;
  }

  /** Counts it no more; it keeps its bytes. */
  release(holder: AheadHolder): void {
    this.#sizeBytes -= this.#held.get(holder)?.bytes ?? 0;
    this.#held.delete(holder);
  }

  #hasRoom(bytes: number): boolean {
    return this.#sizeBytes + bytes <= this.#limitBytes;
  }
}

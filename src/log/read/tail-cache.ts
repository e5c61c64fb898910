import type { Offset } from '../../base/index.ts';
import { Deque } from '../append/deque.ts';
import { batchBaseOffset, batchLastOffset } from '../record/index.ts';
import { HeldBuffers } from './held-buffers.ts';

interface TailEntry {
  readonly owner: LogTail;
  readonly bytes: Uint8Array;
  readonly baseOffset: Offset;
  /** Inclusive. */
  readonly lastOffset: Offset;
  /** False once its owner let go of it: the queue of the cache may still hold it for a while. */
  kept: boolean;
}

/**
 * Memory for recent appends of all logs, oldest out first. A batch that is not yet in its file stays, also
 * beyond the limit: it has no other home. Those are bounded by what the broker admits. Batches are pieces of
 * received messages, and not copied out of them: what counts is the messages.
 */
export class TailCache {
  readonly #limitBytes: number;
  readonly #queue = new Deque<TailEntry>();
  readonly #held = new HeldBuffers();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Of all buffers that batches in here are pieces of. */
  get sizeBytes(): number {
    return this.#held.sizeBytes;
  }

  /** For LogTail only. */
  add(entry: TailEntry): void {
    this.#queue.push(entry);
    this.#held.hold(entry.bytes);
    if (this.sizeBytes > this.#limitBytes) this.trim();
  }

  /** For LogTail only. */
  release(entry: TailEntry): void {
    entry.kept = false;
    this.#held.release(entry.bytes);
  }

  /** Lets go of the oldest batches until the limit is kept or the oldest one is not yet written. */
  trim(): void {
    while (this.#queue.length > 0) {
      const oldest = this.#queue.at(0);
      if (oldest.kept) {
        if (this.sizeBytes <= this.#limitBytes || !oldest.owner.maybeEvictFirst()) return;
      }
      this.#queue.dropFront(1);
    }
  }
}

/** The recent batches of one log, without a gap up to its end. */
export class LogTail {
  readonly #cache: TailCache;
  readonly #entries = new Deque<TailEntry>();
  readonly #writtenOffset: () => Offset;

  constructor(cache: TailCache, writtenOffset: () => Offset) {
    this.#cache = cache;
    this.#writtenOffset = writtenOffset;
  }

  /** `batch` follows the last one pushed. */
  push(batch: Uint8Array): void {
    const entry: TailEntry = {
      owner: this,
      bytes: batch,
      baseOffset: batchBaseOffset(batch),
      lastOffset: batchLastOffset(batch),
      kept: true,
    };
    this.#entries.push(entry);
    this.#cache.add(entry);
  }

  /** True when every batch from the one that holds `offset` up to the end is here. */
  covers(offset: Offset): boolean {
    return this.#entries.length > 0 && offset >= this.#entries.at(0).baseOffset;
  }

  /** The same memory that was pushed; see PartitionLog.read. `from` must be covered. */
  read(from: Offset, upperBound: Offset, maxBytes: number, atLeastOne: boolean): Uint8Array[] {
    const found: Uint8Array[] = [];
    let left = maxBytes;
    for (let i = this.#firstEndingAtOrAfter(from); i < this.#entries.length; i++) {
      const { bytes, lastOffset } = this.#entries.at(i);
      if (lastOffset >= upperBound) break;
      if (bytes.length > left && !(atLeastOne && found.length === 0)) break;
      found.push(bytes);
      left -= bytes.length;
    }
    return found;
  }

  /** Lets go of batches that end at or after `offset`. */
  truncateTo(offset: Offset): void {
    const keep = this.#firstEndingAtOrAfter(offset);
    for (let i = keep; i < this.#entries.length; i++) this.#cache.release(this.#entries.at(i));
    this.#entries.keepFront(keep);
  }

  clear(): void {
    this.truncateTo(0);
  }

  /** Lets go of batches that end below `offset`: they are in files, and may not be any more as they are here. */
  forgetBelow(offset: Offset): void {
    while (this.#entries.length > 0 && this.#entries.at(0).lastOffset < offset)
      if (!this.maybeEvictFirst()) return;
  }

  /** False when the oldest batch is not yet in the file. */
  maybeEvictFirst(): boolean {
    const first = this.#entries.at(0);
    if (first.lastOffset >= this.#writtenOffset()) return false;
    this.#cache.release(first);
    this.#entries.dropFront(1);
    return true;
  }

  #firstEndingAtOrAfter(offset: Offset): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries.at(middle).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

import { CorruptionError, type Offset } from '../../base/index.ts';
import { readInt32, writeInt32 } from '../record/index.ts';

/**
 * The sparse map from offsets to positions of one segment, in memory; `.index` holds the same when the
 * segment is closed.
 *
 *   { last offset of the batch - base offset i32 | position of the batch i32 }*    strictly growing
 *
 * No checksum: a file that breaks the growth, or is missing, is made anew from the log, and an entry is held
 * against the batch it points to before it is used. Source: Kafka's OffsetIndex.
 */
export const OFFSET_ENTRY_BYTES = 8;
const INT32_MAX = 2 ** 31 - 1;

export class OffsetIndex {
  readonly #base: Offset;
  #entries = new Int32Array(64);
  #count = 0;

  constructor(baseOffset: Offset) {
    this.#base = baseOffset;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#count * OFFSET_ENTRY_BYTES;
  }

  /**
   * Offset and position grow with each call. An entry beyond 32 bits is left out: a batch is found from the one before it,
   * too, and who reads an offset that cannot be judges it.
   */
  append(lastOffset: Offset, position: number): void {
    const relative = lastOffset - this.#base;
    if (relative > INT32_MAX || position > INT32_MAX) return;
    if (this.#count * 2 === this.#entries.length) {
      const grown = new Int32Array(this.#entries.length * 2);
      grown.set(this.#entries);
      this.#entries = grown;
    }
    this.#entries[this.#count * 2] = relative;
    this.#entries[this.#count * 2 + 1] = position;
    this.#count++;
  }

  /** The last entry at or below `offset`: a scan from its batch on meets that offset. */
  find(offset: Offset): OffsetEntry | undefined {
    const index = this.#lastAtMost(offset - this.#base);
    if (index < 0) return undefined;
    const relative = this.#entries[index * 2] as number;
    return { offset: this.#base + relative, position: this.#entries[index * 2 + 1] as number };
  }

  /** Those whose batch ends at `offset` or later. */
  *entriesFrom(offset: Offset): Generator<OffsetEntry> {
    for (let i = this.#lastAtMost(offset - this.#base - 1) + 1; i < this.#count; i++) {
      const relative = this.#entries[i * 2] as number;
      yield { offset: this.#base + relative, position: this.#entries[i * 2 + 1] as number };
    }
  }

  /** Forgets entries whose batch ends at or after `offset`. */
  truncateTo(offset: Offset): void {
    this.#count = this.#lastAtMost(offset - this.#base - 1) + 1;
  }

  #lastAtMost(relative: number): number {
    let low = -1;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#entries[middle * 2] as number) <= relative) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.sizeBytes);
    for (let i = 0; i < this.#count * 2; i++) writeInt32(bytes, i * 4, this.#entries[i] as number);
    return bytes;
  }

  /** undefined: the bytes cannot be the index of a segment of `segmentBytes` bytes. */
  static decode(baseOffset: Offset, bytes: Uint8Array, segmentBytes: number): OffsetIndex | undefined {
    if (bytes.length % OFFSET_ENTRY_BYTES !== 0) return undefined;
    const index = new OffsetIndex(baseOffset);
    let lastRelative = -1;
    let lastPosition = -1;
    for (let at = 0; at < bytes.length; at += OFFSET_ENTRY_BYTES) {
      const relative = readInt32(bytes, at);
      const position = readInt32(bytes, at + 4);
      if (relative <= lastRelative || position <= lastPosition || position >= segmentBytes) return undefined;
      index.append(baseOffset + relative, position);
      lastRelative = relative;
      lastPosition = position;
    }
    return index;
  }
}

export interface OffsetEntry {
  /** Of the last record of the batch. */
  readonly offset: Offset;
  readonly position: number;
}

/**
 * The entries of an `.index` file one by one, for a person to look at. Throws CorruptionError after the last
 * good one where they do not grow or end inside an entry; `file` is for its message.
 */
export function* decodeOffsetEntries(
  bytes: Uint8Array,
  baseOffset: Offset,
  file: string,
): Generator<OffsetEntry> {
  let last: OffsetEntry = { offset: baseOffset - 1, position: -1 };
  for (let at = 0; at < bytes.length; at += OFFSET_ENTRY_BYTES) {
    const left = bytes.length - at;
    if (left < OFFSET_ENTRY_BYTES)
      throw new CorruptionError(file, at, `an entry of ${OFFSET_ENTRY_BYTES} bytes`, `${left} bytes`);
    const entry = { offset: baseOffset + readInt32(bytes, at), position: readInt32(bytes, at + 4) };
    if (entry.offset <= last.offset || entry.position <= last.position)
      throw new CorruptionError(
        file,
        at,
        `an offset above ${last.offset} and a position above ${last.position}`,
        `offset ${entry.offset} and position ${entry.position}`,
      );
    yield entry;
    last = entry;
  }
}

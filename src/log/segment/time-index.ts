import { CorruptionError, type Offset, type WallMs } from '../../base/index.ts';
import { readInt32, readInt64, writeInt32, writeInt64 } from '../record/index.ts';

/**
 * The sparse map from timestamps to offsets of one segment, in memory; `.timeindex` holds the same when it
 * is closed.
 *
 *   { timestamp i64 | offset - base offset i32 }*    both strictly growing
 *
 * An entry says: every record of the segment with a larger timestamp comes after this offset. Source:
 * Kafka's TimeIndex.
 */
export const TIME_ENTRY_BYTES = 12;

export interface TimeEntry {
  readonly timestampMs: WallMs;
  readonly offset: Offset;
}

export class TimeIndex {
  readonly #entries: TimeEntry[] = [];

  get last(): TimeEntry | undefined {
    return this.#entries.at(-1);
  }

  /** Does nothing unless both numbers grow. */
  maybeAppend(timestampMs: WallMs, offset: Offset): void {
    const { last } = this;
    if (last !== undefined && (timestampMs <= last.timestampMs || offset <= last.offset)) return;
    this.#entries.push({ timestampMs, offset });
  }

  /** The last entry below `timestampMs`: no record up to its offset is that late. undefined: scan from the start. */
  find(timestampMs: WallMs): TimeEntry | undefined {
    return this.#entries[this.#firstNot((entry) => entry.timestampMs < timestampMs) - 1];
  }

  entriesFrom(offset: Offset): readonly TimeEntry[] {
    return this.#entries.slice(this.#firstNot((entry) => entry.offset < offset));
  }

  /** Forgets entries at or after `offset`. */
  truncateTo(offset: Offset): void {
    this.#entries.length = this.#firstNot((entry) => entry.offset < offset);
  }

  #firstNot(holds: (entry: TimeEntry) => boolean): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#entries[middle] as TimeEntry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  encode(baseOffset: Offset): Uint8Array {
    const bytes = new Uint8Array(this.#entries.length * TIME_ENTRY_BYTES);
    for (const [i, { timestampMs, offset }] of this.#entries.entries()) {
      writeInt64(bytes, i * TIME_ENTRY_BYTES, timestampMs);
      writeInt32(bytes, i * TIME_ENTRY_BYTES + 8, offset - baseOffset);
    }
    return bytes;
  }

  /** undefined: the bytes cannot be a time index. */
  static decode(baseOffset: Offset, bytes: Uint8Array): TimeIndex | undefined {
    if (bytes.length % TIME_ENTRY_BYTES !== 0) return undefined;
    const index = new TimeIndex();
    for (let at = 0; at < bytes.length; at += TIME_ENTRY_BYTES) {
      const before = index.#entries.length;
      index.maybeAppend(readInt64(bytes, at), baseOffset + readInt32(bytes, at + 8));
      if (index.#entries.length === before) return undefined;
    }
    return index;
  }
}

/** As decodeOffsetEntries, for a `.timeindex` file. */
export function* decodeTimeEntries(
  bytes: Uint8Array,
  baseOffset: Offset,
  file: string,
): Generator<TimeEntry> {
  let last: TimeEntry = { timestampMs: Number.NEGATIVE_INFINITY, offset: baseOffset - 1 };
  for (let at = 0; at < bytes.length; at += TIME_ENTRY_BYTES) {
    const left = bytes.length - at;
    if (left < TIME_ENTRY_BYTES)
      throw new CorruptionError(file, at, `an entry of ${TIME_ENTRY_BYTES} bytes`, `${left} bytes`);
    const entry = { timestampMs: readInt64(bytes, at), offset: baseOffset + readInt32(bytes, at + 8) };
    if (entry.timestampMs <= last.timestampMs || entry.offset <= last.offset)
      throw new CorruptionError(
        file,
        at,
        `a timestamp above ${last.timestampMs} and an offset above ${last.offset}`,
        `timestamp ${entry.timestampMs} and offset ${entry.offset}`,
      );
    yield entry;
    last = entry;
  }
}

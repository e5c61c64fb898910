import type { Offset } from '../../base/index.ts';
import type { Entry } from '../core/messages.ts';

/** Payload bytes and entries kept: followers that keep up are served from here, slower ones from the store. */
const BYTES_MAX = 4 * 1024 * 1024;
const ENTRIES_MAX = 4096;

/** The end of the durable log in memory: a contiguous run of entries that ends where the log ends, or nothing. */
export class RecentEntries {
  #entries: Entry[] = [];
  #bytes = 0;

  get startOffset(): Offset | undefined {
    return this.#entries[0]?.offset;
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += entry.payload.byteLength;
    }
    if (this.#entries.length > ENTRIES_MAX || this.#bytes > BYTES_MAX) this.#forgetOldHalf();
  }

  truncate(from: Offset): void {
    while ((this.#entries.at(-1)?.offset ?? -1) >= from) {
      const removed = this.#entries.pop();
      this.#bytes -= removed?.payload.byteLength ?? 0;
    }
  }

  /** Entries in `[from, to)` as QuorumStore.read gives them, or undefined when `from` is not held. */
  read(from: Offset, to: Offset, maxBytes: number): Entry[] | undefined {
    const start = this.startOffset;
    if (start === undefined || from < start) return undefined;
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = from - start; index < Math.min(to - start, this.#entries.length); index++) {
      const entry = this.#entries[index] as Entry;
      bytes += entry.payload.byteLength;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found.length === 0 && from < to ? undefined : found;
  }

  /** Half at a time, so that the cost of shifting is spread over many appends. */
  #forgetOldHalf(): void {
    while (this.#entries.length > ENTRIES_MAX / 2 || this.#bytes > BYTES_MAX / 2) {
      const keepFrom = Math.ceil(this.#entries.length / 2);
      if (keepFrom === 0) return;
      for (const entry of this.#entries.slice(0, keepFrom)) this.#bytes -= entry.payload.byteLength;
      this.#entries = this.#entries.slice(keepFrom);
    }
  }
}

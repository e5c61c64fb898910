import { toBuffer } from '../../base/index.ts';
import type { KeyRange, KeyValueEntry, KeyValueOperation } from '../../env/index.ts';
import { copyBytes } from './copy-bytes.ts';

/**
 * A map of bytes to bytes in key order. Keys are held as latin-1 strings, which compare as their bytes do. What it is given
 * is not changed any more, and shared; what it gives is a copy.
 */
export class SortedBytes {
  readonly #keys: string[] = [];
  readonly #values = new Map<string, Uint8Array>();

  get size(): number {
    return this.#keys.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#values.get(toText(key));
    return value === undefined ? undefined : copyBytes(value);
  }

  apply(operations: readonly KeyValueOperation[]): void {
    for (const operation of operations) {
      const key = toText(operation.key);
      if (operation.kind === 'delete') this.#delete(key);
      else this.#put(key, operation.value);
    }
  }

  scan(range: KeyRange): KeyValueEntry[] {
    const from = this.#position(toText(range.from));
    const to = this.#position(toText(range.to));
    const entries: KeyValueEntry[] = [];
    for (let i = 0; i < Math.min(range.limit, to - from); i++) {
      const key = this.#keys[range.reverse === true ? to - 1 - i : from + i] as string;
      const value = this.#values.get(key) as Uint8Array;
      entries.push({ key: Buffer.from(key, 'latin1'), value: copyBytes(value) });
    }
    return entries;
  }

  clone(): SortedBytes {
    const copy = new SortedBytes();
    for (const key of this.#keys) copy.#put(key, this.#values.get(key) as Uint8Array);
    return copy;
  }

  #put(key: string, value: Uint8Array): void {
    if (!this.#values.has(key)) {
      const last = this.#keys.at(-1);
      if (last === undefined || last < key) this.#keys.push(key);
      else this.#keys.splice(this.#position(key), 0, key);
    }
    this.#values.set(key, value);
  }

  #delete(key: string): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#position(key), 1);
  }

  /** Index of the first key that is not below `key`. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function toText(key: Uint8Array): string {
  return toBuffer(key).toString('latin1');
}

/**
 * A queue in an array: push at the back, drop at either end, read anywhere, all in constant time
 * (amortised).
 */
export class Deque<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** `index` counts from the front and must be below `length`. */
  at(index: number): T {
    return this.#items[this.#head + index] as T;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Drops `count` items at the front. */
  dropFront(count: number): void {
    // Dropped items must not stay reachable until the array is shortened.
    this.#items.fill(undefined, this.#head, this.#head + count);
    this.#head += count;
    if (this.#head < 1024 || this.#head * 2 < this.#items.length) return;
    this.#items.splice(0, this.#head);
    this.#head = 0;
  }

  /** Drops items at the back until `length` are left. */
  keepFront(length: number): void {
    this.#items.length = this.#head + length;
  }
}

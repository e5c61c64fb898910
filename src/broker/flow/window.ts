/**
 * How much may be in flight: a count and a number of bytes, optionally as part of a larger window shared with others.
 *
 * Invariant: 0 <= count, 0 <= bytes; both return to 0 when everything taken was given back. A window may be exceeded by
 * what was taken while it was open (one message); it is full from then on, and who keeps taking is misbehaving.
 */
import { assert } from '../../base/index.ts';

export interface WindowLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

export class Window {
  readonly #limits: WindowLimits;
  readonly #parent: Window | undefined;
  #count = 0;
  #bytes = 0;
  #waiters: (() => void)[] = [];

  constructor(limits: WindowLimits, parent?: Window) {
    this.#limits = limits;
    this.#parent = parent;
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#ownFull() || this.#parent?.full === true;
  }

  /** True when the other side went on sending far beyond what it was told to stop at. */
  get overrun(): boolean {
    return this.#count > 2 * this.#limits.countMax || this.#bytes > 2 * this.#limits.bytesMax;
  }

  take(bytes: number): void {
    this.#count += 1;
    this.#bytes += bytes;
    this.#parent?.take(bytes);
  }

  give(bytes: number): void {
    assert(this.#count > 0 && this.#bytes >= bytes, 'more given back than taken', { bytes });
    this.#count -= 1;
    this.#bytes -= bytes;
    this.#wake();
    this.#parent?.give(bytes);
  }

  /** Resolves when there is room here and in the larger window. */
  async drained(): Promise<void> {
    while (this.full) {
      if (this.#ownFull()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
      else await this.#parent?.drained();
    }
  }

  #ownFull(): boolean {
    return this.#count >= this.#limits.countMax || this.#bytes >= this.#limits.bytesMax;
  }

  #wake(): void {
    if (this.#ownFull() || this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}

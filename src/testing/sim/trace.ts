/** Counts and hashes what happens in one run; with `keep`, also remembers the last lines. */
const LINES_MAX = 400;

export class Trace {
  readonly counters = new Map<string, number>();
  readonly lines: string[] = [];
  readonly #keep: boolean;
  #high = 0x811c9dc5;
  #low = 0x01000193;

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  count(name: string, by = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + by);
  }

  /** Mixes an event into the hash. `text` is only made when lines are kept. */
  event(atMs: number, kind: number, a: number, b: number, c: number, text: () => string): void {
    this.mix(atMs, kind, a, b, c);
    if (!this.#keep) return;
    this.lines.push(`${atMs.toFixed(2).padStart(11)}  ${text()}`);
    if (this.lines.length > LINES_MAX) this.lines.shift();
  }

  /** The same without a line. */
  mix(atMs: number, kind: number, a: number, b: number, c: number): void {
    const time = Math.round(atMs * 1000) | 0;
    this.#high = Math.imul(this.#high ^ time ^ Math.imul(kind, 0x9e3779b1), 0x01000193) ^ (this.#high >>> 15);
    this.#low = Math.imul(this.#low ^ a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35), 0x01000193);
    this.#low ^= this.#low >>> 13;
  }

  get hash(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }
}

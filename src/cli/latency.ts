/** Latencies of a run, for a summary: every sample is kept as a 64-bit float, up to a bound; then every second one. */
const SAMPLES_MAX = 1 << 20;

export class Latencies {
  #samples = new Float64Array(1024);
  #count = 0;
  #skip = 1;
  #seen = 0;

  add(ms: number): void {
    if (this.#seen++ % this.#skip !== 0) return;
    if (this.#count === this.#samples.length) this.#makeRoom();
    this.#samples[this.#count++] = ms;
  }

  /** In milliseconds, rounded to a hundredth; 0 without samples. */
  quantiles(): { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } {
    const sorted = this.#samples.slice(0, this.#count).sort();
    const at = (q: number): number =>
      Math.round((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0) * 100) / 100;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  }

  #makeRoom(): void {
    if (this.#samples.length < SAMPLES_MAX) {
      const larger = new Float64Array(this.#samples.length * 2);
      larger.set(this.#samples);
      this.#samples = larger;
      return;
    }
    this.#count /= 2;
    for (let i = 0; i < this.#count; i++) this.#samples[i] = this.#samples[2 * i] ?? 0;
    this.#skip *= 2;
  }
}

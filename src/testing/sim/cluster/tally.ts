/** What many runs came to. */
import type { ClusterSimResult } from './run.ts';

export class Tally {
  runs = 0;
  failed = 0;
  events = 0;
  virtualMs = 0;
  cpuMs = 0;
  readonly counters = new Map<string, number>();

  add(result: ClusterSimResult): void {
    this.runs++;
    if (result.failure !== undefined) this.failed++;
    this.events += result.events;
    this.virtualMs += result.virtualMs;
    this.#count(result.counters);
  }

  /** As `toText` of another process told it. */
  addText(text: string): void {
    const { counters, ...other } = JSON.parse(text) as Tally & { readonly counters: [string, number][] };
    this.runs += other.runs;
    this.failed += other.failed;
    this.events += other.events;
    this.virtualMs += other.virtualMs;
    this.cpuMs += other.cpuMs;
    this.#count(counters);
  }

  toText(): string {
    return JSON.stringify({ ...this, counters: [...this.counters] });
  }

  /** Its last two lines. */
  describe(): string[] {
    const hours = this.virtualMs / 3_600_000;
    return [
      `${this.runs} runs, ${this.failed} failed, ${this.events} events, ${hours.toFixed(1)} simulated hours`,
      `${(hours / (this.cpuMs / 60_000)).toFixed(1)} simulated hours per CPU minute`,
    ];
  }

  #count(counters: Iterable<readonly [string, number]>): void {
    for (const [name, value] of counters) this.counters.set(name, (this.counters.get(name) ?? 0) + value);
  }
}

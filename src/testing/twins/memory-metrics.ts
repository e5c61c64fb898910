import type { Metrics } from '../../env/index.ts';

/** Figures a test can look at. The same name again continues the same figure. */
export class MemoryMetrics implements Metrics {
  readonly #counters = new Map<string, { count: number }>();
  readonly #gauges = new Map<string, () => number>();
  readonly #histograms = new Map<string, number[]>();

  counter(name: string): { add(count: number): void } {
    const cell = this.#counters.get(name) ?? { count: 0 };
    this.#counters.set(name, cell);
    return {
      add(count) {
        cell.count += count;
      },
    };
  }

  gauge(name: string, _help: string, read: () => number): void {
    this.#gauges.set(name, read);
  }

  histogram(name: string): { observe(value: number): void } {
    const values = this.#histograms.get(name) ?? [];
    this.#histograms.set(name, values);
    return {
      observe(value) {
        values.push(value);
      },
    };
  }

  /** The count or gauge named so, undefined when nobody registered it. */
  value(name: string): number | undefined {
    return this.#counters.get(name)?.count ?? this.#gauges.get(name)?.();
  }

  /** What a histogram was given, in order. */
  observed(name: string): readonly number[] {
    return this.#histograms.get(name) ?? [];
  }
}

/** Figures for operators. Names are lower_snake_case with the unit last (`_total`, `_bytes`, `_ms`), without prefix. */
export interface Metrics {
  counter(name: string, help: string): Counter;
  /** `read` is called when somebody looks. */
  gauge(name: string, help: string, read: () => number): void;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
}

export interface Counter {
  add(count: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

/** Counts nothing. */
export const NO_METRICS: Metrics = {
  counter: () => ({ add() {} }),
  gauge() {},
  histogram: () => ({ observe() {} }),
};

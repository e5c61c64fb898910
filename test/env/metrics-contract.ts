import { expect, it } from 'vitest';
import type { Metrics } from '../../src/env/index.ts';

export interface MetricsFixture {
  readonly metrics: Metrics;
  value(name: string): Promise<number | undefined>;
  /** How often a histogram was given a value. */
  count(name: string): Promise<number>;
}

/** What every `Metrics` promises. */
export function metricsContract(make: () => MetricsFixture): void {
  it('a counter starts at zero and adds up; the same name again is the same counter', async () => {
    const { metrics, value } = make();
    const counter = metrics.counter('appends_total', 'appends');
    expect(await value('appends_total')).toBe(0);
    counter.add(2);
    metrics.counter('appends_total', 'appends').add(3);
    expect(await value('appends_total')).toBe(5);
  });

  it('a gauge is read when somebody looks; the last registered of a name counts', async () => {
    const { metrics, value } = make();
    let lag = 1;
    metrics.gauge('lag_bytes', 'lag', () => lag);
    expect(await value('lag_bytes')).toBe(1);
    lag = 7;
    expect(await value('lag_bytes')).toBe(7);
    metrics.gauge('lag_bytes', 'lag', () => 9);
    expect(await value('lag_bytes')).toBe(9);
  });

  it('a histogram counts what it was given', async () => {
    const { metrics, count } = make();
    const histogram = metrics.histogram('sync_ms', 'sync', [1, 10, 100]);
    histogram.observe(5);
    metrics.histogram('sync_ms', 'sync', [1, 10, 100]).observe(50);
    expect(await count('sync_ms')).toBe(2);
  });
}

import * as prom from 'prom-client';
import type { Counter, Histogram, Metrics } from '../metrics.ts';

export interface PromMetricsOptions {
  /** Set before each name; 'quorate_' when absent. */
  readonly prefix?: string;
  /** On every figure, for instance the node's id. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Adds memory, CPU, event loop and garbage collection of the process. */
  readonly process?: boolean;
}

export interface PromMetrics extends Metrics {
  /** All figures in the Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** A registry of its own: many nodes may share a process. */
export function createPromMetrics(options: PromMetricsOptions = {}): PromMetrics {
  const registry = new prom.Registry();
  const prefix = options.prefix ?? 'quorate_';
  if (options.labels !== undefined) registry.setDefaultLabels(options.labels);
  if (options.process === true) prom.collectDefaultMetrics({ register: registry, prefix });
  const registers = [registry];
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  const gauges = new Map<string, () => number>();
  return {
    counter(name, help) {
      const found = counters.get(name);
      if (found !== undefined) return found;
      const counter = new prom.Counter({ name: prefix + name, help, registers });
      const added: Counter = { add: (count) => counter.inc(count) };
      counters.set(name, added);
      return added;
    },
    gauge(name, help, read) {
      const first = !gauges.has(name);
      gauges.set(name, read);
      if (!first) return;
      new prom.Gauge({
        name: prefix + name,
        help,
        registers,
        collect() {
          this.set(gauges.get(name)?.() ?? 0);
        },
      });
    },
    histogram(name, help, buckets) {
      const found = histograms.get(name);
      if (found !== undefined) return found;
      const histogram = new prom.Histogram({ name: prefix + name, help, buckets: [...buckets], registers });
      const added: Histogram = { observe: (value) => histogram.observe(value) };
      histograms.set(name, added);
      return added;
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

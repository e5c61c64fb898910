import type { HistoryEvent } from './history.ts';
import type { CheckOptions, Verdict } from './verdict.ts';

export function checkHistory(events: Iterable<HistoryEvent>, options: CheckOptions = {}): Verdict {
  const counters = new Map<string, number>();
  const count = (name: string, by: number): void => void counters.set(name, (counters.get(name) ?? 0) + by);
  for (const { type, operation } of events) {
    if (type !== 'ok') continue;
    if (operation.f === 'send') count('acked', operation.values.length);
    else if (operation.f === 'poll')
      for (const { records } of operation.polled ?? []) count('polled', records.length);
  }
  const missing = (options.required ?? ['acked', 'polled']).filter((name) => (counters.get(name) ?? 0) === 0);
  return {
    valid: missing.length === 0,
    findings: [],
    anomalies: {},
    counters: Object.fromEntries(counters),
    missing,
  };
}

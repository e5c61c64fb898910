import { expect, it } from 'vitest';
import { COUNTERS, checkHistory, HistoryRecorder } from '../../../src/testing/checkers/index.ts';
import { cleanHistory } from './clean-model.ts';

const SEEDS = Number(process.env.SEEDS ?? 1200);

it('a history that a correct cluster brought about is valid, and everything occurs in some', () => {
  const totals = new Map<string, number>();
  const wrong: unknown[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { events, options } = cleanHistory(seed);
    const { findings, counters } = checkHistory(events, options);
    if (findings.length > 0) wrong.push({ seed, findings });
    for (const [name, count] of Object.entries(counters)) totals.set(name, (totals.get(name) ?? 0) + count);
  }
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(COUNTERS.filter((name) => (totals.get(name) ?? 0) === 0)).toEqual([]);
  console.log(
    `${SEEDS} clean histories: ${[...totals].map(([name, count]) => `${name} ${count}`).join(', ')}`,
  );
}, 600_000);

it('a history is judged the same after a journey through a file', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { events, options } = cleanHistory(seed);
    const lines = events.map((event) => JSON.stringify(event)).join('\n');
    expect(checkHistory(HistoryRecorder.parse(lines), options)).toEqual(checkHistory(events, options));
  }
});

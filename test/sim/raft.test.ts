import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runSeed } from '../../src/testing/sim/raft/run.ts';

/** Seeds that ever failed. */
const failedOnce: number[] = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8'));

describe('the simulated quorum', () => {
  it.each(failedOnce)('keeps every law and gets on when healthy: seed %i, which failed once', (seed) => {
    expect(runSeed(seed).failure).toBeUndefined();
  });

  it('keeps every law and gets on when healthy: 20 other seeds', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { failure } = runSeed(seed);
      expect(failure, `seed ${seed}; replay: npm run sim:raft -- --seed ${seed}`).toBeUndefined();
    }
  });

  it('runs the same seed the same way', () => {
    for (const seed of [3, 8]) {
      const { hash, events } = runSeed(seed);
      expect(runSeed(seed, { keepTrace: true })).toMatchObject({ hash, events });
    }
    expect(runSeed(3).hash).not.toBe(runSeed(8).hash);
  });
});

import { describe, expect, it } from 'vitest';
import { drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { runCluster } from '../../src/testing/sim/cluster/run.ts';

describe('the simulated cluster', () => {
  it.each([1, 2, 3, 4, 5, 6])('keeps every law and gets on when healthy: seed %i', async (seed) => {
    const { failure } = await runCluster(drawOptions(seed));
    expect(failure, `replay: npm run sim -- --seed ${seed}`).toBeUndefined();
  });

  it('runs the same options the same way', async () => {
    const { hash, events } = await runCluster(drawOptions(6));
    expect(await runCluster(drawOptions(6), { keepTrace: true })).toMatchObject({ hash, events });
  });
});

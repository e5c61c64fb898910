import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ClusterSimOptions, drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { runCluster } from '../../src/testing/sim/cluster/run.ts';

/** Options of runs that ever failed, each by the name of what was wrong. */
const KEPT = new URL('kept/', import.meta.url);

describe('the simulated cluster', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'keeps every law and gets on when healthy: seed %i',
    async (seed) => {
      const { failure } = await runCluster(drawOptions(seed));
      expect(failure, `replay: node src/testing/sim/cluster/main.ts --seed ${seed}`).toBeUndefined();
    },
    120_000,
  );

  it.each(readdirSync(KEPT))(
    'keeps every law in a run that failed once: %s',
    async (name) => {
      const options = JSON.parse(readFileSync(new URL(name, KEPT), 'utf8')) as ClusterSimOptions;
      expect((await runCluster(options)).failure).toBeUndefined();
    },
    120_000,
  );

  it('runs the same options the same way', async () => {
    const { hash, events } = await runCluster(drawOptions(6));
    expect(await runCluster(drawOptions(6), { keepTrace: true })).toMatchObject({ hash, events });
  });
});

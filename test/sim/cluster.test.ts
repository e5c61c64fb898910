import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ClusterSimOptions, drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { runCluster } from '../../src/testing/sim/cluster/run.ts';

/** Options of runs that ever failed, each by the name of what was wrong. */
const KEPT = new URL('kept/', import.meta.url);

/** There are failure points in a process only that inserts them before anything is loaded. */
function runWithPoints(path: string): void {
  const program = ['--import', './test/failpoints/register.ts', 'src/testing/sim/cluster/main.ts'];
  execFileSync(process.execPath, [...program, '--options', path], { stdio: 'pipe' });
}

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
      const path = fileURLToPath(new URL(name, KEPT));
      const options = JSON.parse(readFileSync(path, 'utf8')) as ClusterSimOptions;
      if ('failure point' in options.faults) expect(() => runWithPoints(path)).not.toThrow();
      else expect((await runCluster(options)).failure).toBeUndefined();
    },
    120_000,
  );

  it('runs the same options the same way', async () => {
    const { hash, events } = await runCluster(drawOptions(6));
    expect(await runCluster(drawOptions(6), { keepTrace: true })).toMatchObject({ hash, events });
  });
});

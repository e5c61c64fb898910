/**
 * Runs in a process of its own, with points inserted: a small cluster in which machines die at the points that are named, or at
 * whatever the seed draws when none is. Twice; tells of both runs in a line of JSON.
 */
import { drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { runCluster, startCluster } from '../../src/testing/sim/cluster/run.ts';
import type { SimWorld } from '../../src/testing/sim/cluster/world.ts';

export interface DeathReport {
  readonly hash: string;
  readonly failure?: string;
  /** `<machine> at <point>`, in order. */
  readonly deaths: readonly string[];
  /** Points that were passed at all. */
  readonly passed: readonly string[];
}

const names = process.argv.slice(2);
const DRAWN_MS = 500;
const options = {
  ...drawOptions(1),
  controllers: 3,
  brokers: 3,
  faultsMs: 20_000,
  thinkMs: 200,
  settings: {},
  topics: [{ name: 'topic-0', partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } }],
  faults: names.length === 0 ? { 'failure point': DRAWN_MS } : {},
};

process.stdout.write(`${JSON.stringify([await run(), await run()])}\n`);

async function run(): Promise<DeathReport> {
  const phases = names.length === 0 ? undefined : dieAtEach;
  const { hash, failure, lines, counters } = await runCluster(options, { keepTrace: true }, phases);
  const told = failure === undefined ? {} : { failure: String(failure) };
  const deaths = lines.flatMap(
    (line) => / failure point: (\S+) died (at \S+)/.exec(line)?.slice(1).join(' ') ?? [],
  );
  const passed = [...counters.keys()].flatMap((name) => /^failure point passed: (.*)/.exec(name)?.[1] ?? []);
  return { hash, deaths, passed, ...told };
}

/** One after the other: a machine dies at the first pass, with its power, and starts again. */
async function dieAtEach(world: SimWorld): Promise<void> {
  for (const name of names) {
    world.points.arm({
      name,
      passes: 1,
      strike: (machine) => {
        machine.kill(true);
        world.note(`failure point: ${machine.name} died at ${name}`);
        world.scheduler.after(100, () => machine.start());
      },
    });
  }
  await startCluster(world);
}

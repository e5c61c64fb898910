/**
 * Runs user code against a whole simulated cluster: the production code of nodes and clients, in one process, in virtual
 * time, with everything that chance decides drawn from one seed. The same seed gives the same run.
 *
 * User code may await promises that come of the simulation, and only those: a real timer or real I/O takes no virtual time, so
 * the cluster would run away from it.
 */
import type { HistoryEvent } from '../../checkers/index.ts';
import { expectDone, expectSoon } from '../cluster/expect.ts';
import { Nemesis } from '../cluster/nemesis.ts';
import { isWhole } from '../cluster/recovery.ts';
import { type ClusterSimResult, judge, runCluster, startCluster } from '../cluster/run.ts';
import type { SimWorld } from '../cluster/world.ts';
import { LIMIT_MS_DEFAULT, type SimulateOptions, toSimOptions } from './options.ts';
import { SimulationWorld } from './simulation-world.ts';

/** User code: returns when it is content, throws when it is not. Called anew for each run, it keeps nothing from the last. */
export type SimulationMain = (world: SimulationWorld) => Promise<void>;

/** A run that passed. */
export interface Simulation {
  readonly seed: number;
  /** Equal for equal runs. */
  readonly hash: string;
  readonly virtualMs: number;
  /** How often what happened: faults, elections, crashes of processes, … */
  readonly counters: ReadonlyMap<string, number>;
  readonly history: readonly HistoryEvent[];
}

/** What many runs that passed did together. */
export interface Simulations {
  readonly runs: number;
  readonly virtualMs: number;
  readonly counters: ReadonlyMap<string, number>;
}

/** A run that failed; `cause` is what was thrown. */
export class SimulationFailed extends Error {
  override readonly name = 'SimulationFailed';
  readonly seed: number;
  /** What happened, to the end. */
  readonly story: readonly string[];

  constructor(seed: number, what: string, story: readonly string[], cause: unknown) {
    const end = story.slice(-STORY_LINES).map((line) => `  ${line}`);
    super([`seed ${seed}: ${what}`, `replay: QUORATE_SEED=${seed}`, ...end].join('\n'), { cause });
    this.seed = seed;
    this.story = story;
  }
}

/** Of the story in the message. */
const STORY_LINES = 30;
/** Time for the replicas to be in sync, and equal, when all is healed. */
const WHOLE_MS = 60_000;

/** Runs `main` once. Rejects with SimulationFailed, having run the seed a second time for its story. */
export async function simulate(
  seed: number,
  main: SimulationMain,
  options: SimulateOptions = {},
): Promise<Simulation> {
  const result = await run(seed, main, options, false);
  if (result.failure !== undefined) throw await explain(seed, main, options, result);
  const { hash, virtualMs, counters, history } = result;
  return { seed, hash, virtualMs, counters, history };
}

/**
 * Runs `main` with each seed, one after the other: `seeds` names them, or how many from 1 on. The first runs twice and must
 * go the same way. Rejects at the first failure. With QUORATE_SEED in the environment that seed alone runs.
 */
export async function simulateMany(
  seeds: number | Iterable<number>,
  main: SimulationMain,
  options: SimulateOptions = {},
): Promise<Simulations> {
  const counters = new Map<string, number>();
  let runs = 0;
  let virtualMs = 0;
  for (const seed of seedsToRun(seeds)) {
    const simulation = await simulate(seed, main, options);
    if (runs === 0 && (await simulate(seed, main, options)).hash !== simulation.hash)
      throw new SimulationFailed(seed, ANOTHER_WAY, [], undefined);
    runs++;
    virtualMs += simulation.virtualMs;
    for (const [name, count] of simulation.counters) counters.set(name, (counters.get(name) ?? 0) + count);
  }
  return { runs, virtualMs, counters };
}

/** The seeds `from` … of a loop of tests, or the one of QUORATE_SEED: `it.each(seeds(50))('seed %i', …)`. */
export function seeds(count: number, from = 1): readonly number[] {
  return seedsToRun(Array.from({ length: count }, (_, i) => from + i));
}

function seedsToRun(wanted: number | Iterable<number>): readonly number[] {
  const { QUORATE_SEED: only } = process.env;
  if (only !== undefined && only !== '') return [Number(only)];
  return typeof wanted === 'number' ? Array.from({ length: wanted }, (_, i) => i + 1) : [...wanted];
}

const ANOTHER_WAY =
  'the same seed went two ways: the code awaits, or asks, something outside of the simulation (a timer, I/O, the date, Math.random)';

async function explain(
  seed: number,
  main: SimulationMain,
  options: SimulateOptions,
  { failure, hash }: ClusterSimResult,
): Promise<SimulationFailed> {
  const again = await run(seed, main, options, true);
  const what = failure instanceof Error ? failure.message : String(failure);
  const doubt = again.hash === hash ? '' : `\n(${ANOTHER_WAY})`;
  return new SimulationFailed(seed, `${what}${doubt}`, again.lines, failure);
}

function run(
  seed: number,
  main: SimulationMain,
  options: SimulateOptions,
  keepTrace: boolean,
): Promise<ClusterSimResult> {
  return runCluster(toSimOptions(seed, options), { keepTrace }, (world) => runUser(world, main, options));
}

async function runUser(world: SimWorld, main: SimulationMain, options: SimulateOptions): Promise<void> {
  const { limitMs = LIMIT_MS_DEFAULT } = options;
  const watch = await startCluster(world);
  const nemesis = new Nemesis(world);
  const user = new SimulationWorld(world, nemesis, options);
  nemesis.start();
  world.scheduler.after(world.options.faultsMs, () =>
    user.heal().catch((error: unknown) => world.fail(error)),
  );
  await expectDone(world, 'your function ends', limitMs, main(user));
  await expectDone(world, 'all is healed', WHOLE_MS, user.heal());
  await expectSoon(world, 'every replica has everything', WHOLE_MS, () => isWhole(world) && watch.areEqual());
  judge(world);
}

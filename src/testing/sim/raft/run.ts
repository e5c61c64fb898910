import { SeededRandom } from '../../../base/index.ts';
import { Trace } from '../trace.ts';
import { fail } from './checker.ts';
import { SimCluster } from './cluster.ts';
import { Faults } from './faults.ts';
import { drawOptions, type SimOptions } from './options.ts';

export interface SimResult {
  readonly seed: number;
  readonly options: SimOptions;
  /** Equal for equal seeds, whatever else runs. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly counters: ReadonlyMap<string, number>;
  readonly failure: unknown;
  readonly lines: readonly string[];
}

/** One run: faults while the laws of safety are watched, then health, in which the quorum must get on. */
export function runSeed(seed: number, settings: { readonly keepTrace?: boolean } = {}): SimResult {
  const options = drawOptions(seed, new SeededRandom(seed, 'options'));
  const trace = new Trace(settings.keepTrace ?? false);
  const cluster = new SimCluster(options, trace);
  let failure: unknown;
  try {
    runPhases(cluster);
  } catch (error) {
    failure = error ?? new Error('failed without a reason');
  }
  const { scheduler } = cluster;
  trace.count('entries committed', cluster.checker.committed.length);
  const { hash, counters, lines } = trace;
  return {
    seed,
    options,
    hash,
    counters,
    lines,
    failure,
    virtualMs: scheduler.nowMs,
    events: scheduler.executed,
  };
}

function runPhases(cluster: SimCluster): void {
  const { options, scheduler, nodes } = cluster;
  const faults = new Faults(cluster);
  const random = new SeededRandom(options.seed, 'starts');
  for (const node of nodes) scheduler.after(random.float() * 300, () => node.start());
  cluster.startWorkload();
  faults.start();
  cluster.run(() => false, options.faultsMs);
  faults.heal();
  for (const node of nodes) cluster.touch(node);
  expectProgress(cluster);
}

/** Without faults there is a leader, it commits, and every node gets everything, in bounded time. */
function expectProgress(cluster: SimCluster): void {
  const { options, checker, nodes, delivered } = cluster;
  const boundMs =
    20 * options.timeouts.electionTimeoutMs + 200 * (options.delayMeanMs + options.syncMeanMs) + 10_000;
  const before = checker.committed.length;
  const hasCommitted = cluster.run(() => checker.committed.length > before + 3, boundMs);
  if (!hasCommitted)
    fail('a healthy quorum does not commit', { boundMs, before, after: checker.committed.length });
  const goal = checker.committed.length;
  const haveAll = cluster.run(() => nodes.every(({ id }) => (delivered.get(id) ?? 0) >= goal), boundMs);
  if (!haveAll) fail('a healthy node does not catch up', { boundMs, goal, delivered: [...delivered] });
  // Nobody waits for ever: what is left is at most one parked fetch of each replica and what has just arrived.
  const waiting = nodes.map(({ process }) => process?.driver.pendingCalls ?? 0);
  if (waiting.some((calls) => calls > 2 * nodes.length)) fail('calls are never answered', { waiting });
}

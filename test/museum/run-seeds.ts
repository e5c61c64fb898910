/**
 * Runs in a process of its own, in a tree that may have a bug: simulates seed after seed until one fails, and tells of each
 * on a line of JSON. Arguments: kind, first seed, number of seeds, options laid over the drawn ones.
 */
import { type ClusterSimOptions, drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { runCluster } from '../../src/testing/sim/cluster/run.ts';
import { runSeed } from '../../src/testing/sim/raft/run.ts';
import { lawOf } from './law.ts';

export interface SeedReport {
  readonly seed: number;
  /** Of the process so far. */
  readonly cpuMs: number;
  /** Absent: it passed. */
  readonly law?: string;
  readonly message?: string;
}

const [kind = 'sim', from = '1', count = '1', preset = '{}'] = process.argv.slice(2);
const overlay: Partial<ClusterSimOptions> = JSON.parse(preset);
let current = Number(from);

process.on('uncaughtException', (error) => tell(current, error, () => process.exit(0)));
process.on('unhandledRejection', (error) => tell(current, error, () => process.exit(0)));

for (const last = current + Number(count); current < last; current++) {
  const { failure } =
    kind === 'sim:raft' ? runSeed(current) : await runCluster({ ...drawOptions(current), ...overlay });
  tell(current, failure);
  if (failure !== undefined) break;
}

function tell(seed: number, failure: unknown, then: () => void = () => {}): void {
  const { user, system } = process.cpuUsage();
  const message = failure instanceof Error ? failure.message : String(failure);
  const broken = failure === undefined ? {} : { law: lawOf(failure), message: message.slice(0, 400) };
  const report: SeedReport = { seed, cpuMs: (user + system) / 1000, ...broken };
  process.stdout.write(`${JSON.stringify(report)}\n`, then);
}

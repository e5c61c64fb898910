/** `npm run sim:raft -- --seeds 100 [--from 1]` or `--seed 7` (with the trace of what happened). */
import { parseArgs } from 'node:util';
import { runSeed, type SimResult } from './run.ts';

/** What a run of many seeds must have seen; a simulation that never does it proves nothing about it. */
const MUST_HAPPEN = [
  'elections won',
  'leaderships ended',
  'truncations',
  'divergences',
  'restarts',
  'power failures',
  'kills',
  'unsynced tails lost',
  'syncs failed',
  'pauses',
  'partitions: full',
  'partitions: one-way',
  'partitions: bridge',
  'leaders cut off',
  'slow disks',
  'resignations',
  'disks wiped',
  'deaths after a vote',
  'messages lost',
  'messages doubled',
  'fetches refused',
  'batches of entries',
  'entries committed',
];
/** Fewer seeds than this need not see everything. */
const COVERAGE_SEEDS_MIN = 200;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
  },
});
process.exitCode =
  values.seed === undefined ? runMany(Number(values.from), Number(values.seeds)) : runOne(values.seed);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function runOne(text: string): number {
  const result = runSeed(Number(text), { keepTrace: true });
  for (const line of result.lines) say(line);
  say(JSON.stringify(result.options));
  say(`seed ${result.seed}: ${result.failure === undefined ? 'passed' : describe(result.failure)}`);
  say(`trace ${result.hash}, ${result.events} events, ${(result.virtualMs / 1000).toFixed(0)} virtual s`);
  return result.failure === undefined ? 0 : 1;
}

function runMany(from: number, count: number): number {
  const counters = new Map<string, number>();
  const startCpu = process.cpuUsage();
  let virtualMs = 0;
  let events = 0;
  const failed: SimResult[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const result = runSeed(seed);
    virtualMs += result.virtualMs;
    events += result.events;
    for (const [name, value] of result.counters) counters.set(name, (counters.get(name) ?? 0) + value);
    if (result.failure !== undefined) {
      failed.push(result);
      say(`seed ${seed} FAILED: ${describe(result.failure).split('\n')[0]}`);
      say(`  replay: npm run sim:raft -- --seed ${seed}`);
    }
    // The same seed must give the same run: some are run twice.
    if (seed % 20 === 0 && runSeed(seed).hash !== result.hash) {
      say(`seed ${seed} is not deterministic`);
      return 1;
    }
  }
  const { user, system } = process.cpuUsage(startCpu);
  const cpuMinutes = (user + system) / 60e6;
  for (const [name, value] of [...counters].toSorted()) say(`${name.padEnd(24)} ${value}`);
  const hours = virtualMs / 3_600_000;
  say(`${count} seeds, ${failed.length} failed, ${events} events, ${hours.toFixed(1)} simulated hours`);
  say(`${(hours / cpuMinutes).toFixed(0)} simulated hours per CPU minute`);
  return failed.length > 0 || !isCovered(counters, count) ? 1 : 0;
}

function isCovered(counters: ReadonlyMap<string, number>, count: number): boolean {
  if (count < COVERAGE_SEEDS_MIN) return true;
  const missing = MUST_HAPPEN.filter((name) => (counters.get(name) ?? 0) === 0);
  for (const name of missing) say(`never happened: ${name}`);
  return missing.length === 0;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

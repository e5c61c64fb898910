/** `npm run sim -- --seeds 100 [--from 1]`, `--minutes 5`, or `--seed 7` (with the trace of what happened). */
import { parseArgs } from 'node:util';
import { drawOptions } from './options.ts';
import { type ClusterSimResult, runCluster } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
  },
});
process.exitCode =
  values.seed === undefined
    ? await runMany(Number(values.from), Number(values.seeds))
    : await runOne(values.seed);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runOne(text: string): Promise<number> {
  const result = await runCluster(drawOptions(Number(text)), { keepTrace: true });
  for (const line of result.lines) say(line);
  say(JSON.stringify(result.options));
  say(`${describe(result.failure)}`);
  say(`trace ${result.hash}, ${result.events} events, ${(result.virtualMs / 1000).toFixed(0)} virtual s`);
  return result.failure === undefined ? 0 : 1;
}

async function runMany(from: number, count: number): Promise<number> {
  const counters = new Map<string, number>();
  const startCpu = process.cpuUsage();
  let virtualMs = 0;
  let events = 0;
  const failed: ClusterSimResult[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const result = await runCluster(drawOptions(seed));
    virtualMs += result.virtualMs;
    events += result.events;
    for (const [name, value] of result.counters) counters.set(name, (counters.get(name) ?? 0) + value);
    if (result.failure !== undefined) {
      failed.push(result);
      say(`seed ${seed} FAILED: ${describe(result.failure).split('\n')[0]}`);
      say(`  replay: npm run sim -- --seed ${seed}`);
    }
    if (seed % 20 === 0 && (await runCluster(drawOptions(seed))).hash !== result.hash) {
      say(`seed ${seed} is not deterministic`);
      return 1;
    }
  }
  const { user, system } = process.cpuUsage(startCpu);
  const cpuMinutes = (user + system) / 60e6;
  for (const [name, value] of [...counters].toSorted()) say(`${name.padEnd(24)} ${value}`);
  const hours = virtualMs / 3_600_000;
  say(`${count} seeds, ${failed.length} failed, ${events} events, ${hours.toFixed(1)} simulated hours`);
  say(`${(hours / cpuMinutes).toFixed(1)} simulated hours per CPU minute`);
  return failed.length > 0 ? 1 : 0;
}

function describe(error: unknown): string {
  if (error === undefined) return 'passed';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * `npm run sim --` and one of
 *
 *     --seeds 100 [--from 1] [--parallel 2]    so many runs, in so many processes
 *     --minutes 5 [--from 1]    as many as there is time for
 *     --seed 7                  one, with the story of what happened
 *     --options FILE            one, from a file of options
 *     --double 20 [--from 1]    each seed twice, each time in a process of its own: equal, or not deterministic
 *
 * `--record` with many runs writes their figures into docs/RELIABILITY.md.
 *
 * A failing run is made smaller; its options are written to sim-failures/.
 */
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { readWholeFile, replaceFile } from '../../../env/index.ts';
import { nodeClock, nodeFiles } from '../../../env/node/index.ts';
import { COVERAGE_SEEDS_MIN, describeCounters, findUncovered, findUnpassed } from './coverage.ts';
import { type ClusterSimOptions, drawOptions } from './options.ts';
import { type ClusterSimResult, lawOf, runCluster } from './run.ts';
import { shrink } from './shrink.ts';
import { Tally } from './tally.ts';

const SHRINK_RUNS_MAX = 150;
const PROGRESS_MS = 60_000;
const FAILURES = 'sim-failures';
/** Begins the line in which a process tells another what its runs came to. */
const TALLY = 'tally ';
const REPORT = 'docs/RELIABILITY.md';

const files = nodeFiles();
const clock = nodeClock();

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    options: { type: 'string' },
    double: { type: 'string' },
    parallel: { type: 'string', default: '1' },
    tally: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
});
process.exitCode = await main();

function main(): Promise<number> {
  const { seed, options, double, minutes } = values;
  const from = Number(values.from);
  if (options !== undefined) return runFile(options);
  if (seed !== undefined) return runOne(drawOptions(Number(seed)));
  if (double !== undefined) return runTwice(from, Number(double));
  if (minutes !== undefined) return runMany(from, Number.POSITIVE_INFINITY, Number(minutes) * 60_000);
  return runMany(from, Number(values.seeds), Number.POSITIVE_INFINITY);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runFile(path: string): Promise<number> {
  const bytes = await readWholeFile(files, path);
  if (bytes === undefined) throw new Error(`there is no ${path}`);
  return runOne(JSON.parse(Buffer.from(bytes).toString()) as ClusterSimOptions);
}

async function runOne(options: ClusterSimOptions): Promise<number> {
  const result = await runCluster(options, { keepTrace: true });
  for (const line of result.lines) say(line);
  say(JSON.stringify(result.options));
  say(describe(result.failure));
  say(fingerprint(result));
  return result.failure === undefined ? 0 : 1;
}

async function runMany(from: number, count: number, limitMs: number): Promise<number> {
  const parallel = Math.min(Number(values.parallel), count);
  const tally = parallel > 1 ? await runApart(from, count, parallel) : await runHere(from, count, limitMs);
  if (values.tally) {
    say(TALLY + tally.toText());
    return 0;
  }
  const lines = [...describeCounters(tally.counters), ...tally.describe()];
  for (const line of lines) say(line);
  if (values.record) await record([`seeds ${from} to ${from + tally.runs - 1}`, ...lines]);
  for (const name of findUnpassed(tally.counters)) say(`no node got to ${name}`);
  const uncovered = tally.runs < COVERAGE_SEEDS_MIN ? [] : findUncovered(tally.counters);
  for (const name of uncovered) say(`never happened: ${name}`);
  const isWhole = limitMs < Number.POSITIVE_INFINITY || tally.runs === count;
  return tally.failed === 0 && uncovered.length === 0 && isWhole ? 0 : 1;
}

async function runHere(from: number, count: number, limitMs: number): Promise<Tally> {
  const tally = new Tally();
  const startMs = clock.monotonicMs();
  const startCpu = process.cpuUsage();
  let saidMs = startMs;
  for (let seed = from; seed < from + count && clock.monotonicMs() - startMs < limitMs; seed++) {
    const result = await runCluster(drawOptions(seed));
    tally.add(result);
    if (result.failure !== undefined) await tellFailure(result);
    if (clock.monotonicMs() - saidMs < PROGRESS_MS) continue;
    saidMs = clock.monotonicMs();
    say(`up to seed ${seed}: ${tally.runs} runs, ${tally.failed} failed`);
  }
  const { user, system } = process.cpuUsage(startCpu);
  tally.cpuMs = (user + system) / 1000;
  return tally;
}

/** Each process has a stretch of the seeds of its own. */
async function runApart(from: number, count: number, parallel: number): Promise<Tally> {
  const tally = new Tally();
  const bounds = Array.from({ length: parallel + 1 }, (_, i) => from + Math.floor((count * i) / parallel));
  const run = async (first: number, next: number): Promise<void> => {
    const words = ['--tally', '--seeds', String(next - first), '--from', String(first)];
    if (values['no-shrink']) words.push('--no-shrink');
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith(TALLY)) tally.addText(line.slice(TALLY.length));
      else say(line);
    }
  };
  await Promise.all(bounds.slice(1).map((next, i) => run(bounds[i] as number, next)));
  if (tally.runs !== count) say(`only ${tally.runs} of ${count} runs came to an end`);
  return tally;
}

async function record(lines: readonly string[]): Promise<void> {
  const text = (await readWholeFile(files, REPORT))?.toString() ?? '';
  const [begin, end] = ['<!-- sim:begin -->', '<!-- sim:end -->'];
  const head = text.slice(0, text.indexOf(begin) + begin.length);
  const figures = ['', '', '```', ...lines, '```', '', ''].join('\n');
  await replaceFile(files, REPORT, Buffer.from(head + figures + text.slice(text.indexOf(end))));
}

async function tellFailure({ options, failure }: ClusterSimResult): Promise<void> {
  const { seed } = options;
  say(`seed ${seed} FAILED: ${describe(failure).split('\n')[0]}`);
  say(`  replay: npm run sim -- --seed ${seed}`);
  if (values['no-shrink']) return;
  const law = lawOf(failure) ?? '';
  const run = async (candidate: ClusterSimOptions) => lawOf((await runCluster(candidate)).failure);
  const smallest = await shrink(options, law, run, SHRINK_RUNS_MAX);
  await files.makeDirectory(FAILURES);
  const path = `${FAILURES}/seed-${seed}.json`;
  await replaceFile(files, path, Buffer.from(`${JSON.stringify(smallest.options, null, 2)}\n`));
  say(`  made smaller in ${smallest.runs} runs: npm run sim -- --options ${path}`);
}

async function runTwice(from: number, count: number): Promise<number> {
  const ran = promisify(execFile);
  let different = 0;
  for (let seed = from; seed < from + count; seed++) {
    const once = async (): Promise<string> => {
      const words = [...process.execArgv, fileURLToPath(import.meta.url), '--seed', String(seed)];
      const { stdout } = await ran(process.execPath, words, { maxBuffer: 64 * 1024 * 1024 }).catch(
        (error: { readonly stdout: string }) => error,
      );
      return stdout.trim().split('\n').at(-1) ?? '';
    };
    const [a, b] = [await once(), await once()];
    if (a === b) continue;
    different++;
    say(`seed ${seed} is not deterministic: ${a}, then ${b}`);
  }
  say(`${count - different} of ${count} seeds ran twice the same, each in a process of its own`);
  return different === 0 ? 0 : 1;
}

function fingerprint({ hash, events, virtualMs }: ClusterSimResult): string {
  return `trace ${hash}, ${events} events, ${(virtualMs / 1000).toFixed(0)} virtual s`;
}

function describe(error: unknown): string {
  if (error === undefined) return 'passed';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Simulations and suites in child processes, so that a bug may hang or crash what it is in. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { SeedReport } from './run-seeds.ts';

/** Of the processor. A seed that takes more runs for ever. */
const SEED_MS = 240_000;
/** One that gets so little of the processor stands still. */
const SHARE_MIN = 0.1;
const SUITE_MS = 600_000;

export interface SeedsWanted {
  readonly tree: string;
  readonly kind: 'sim' | 'sim:raft';
  readonly from: number;
  readonly count: number;
  readonly preset?: Readonly<Record<string, unknown>>;
  /** No seed is begun after it. */
  readonly deadlineMs?: number;
  /** Nor after so much time of the processor. */
  readonly cpuMsMax?: number;
  /** Nor does any get more than this. */
  readonly seedMsMax?: number;
}

export interface SeedsRun {
  /** Seeds that were run to their end, the failing one included. */
  readonly count: number;
  readonly cpuMs: number;
  readonly failed?: { readonly seed: number; readonly law: string; readonly message: string };
}

/** Ends with the first failure. */
export async function runSeeds(wanted: SeedsWanted): Promise<SeedsRun> {
  const { tree, kind, from, count, preset, seedMsMax = SEED_MS } = wanted;
  const { deadlineMs = Number.POSITIVE_INFINITY, cpuMsMax = Number.POSITIVE_INFINITY } = wanted;
  const words = [kind, String(from), String(count), JSON.stringify(preset ?? {})];
  const child = spawn(process.execPath, ['test/museum/run-seeds.ts', ...words], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr = (stderr + data).slice(-2000);
  });
  let done = 0;
  let cpuMs = 0;
  let failed: SeedsRun['failed'];
  const ended = { hung: false, early: false };
  const stop = (why: keyof typeof ended): void => {
    ended[why] = true;
    child.kill('SIGKILL');
  };
  let begunMs = Date.now();
  // Beside other work a seed takes long without having done much.
  const judgeHung = (): void => {
    const usedMs = cpuMsOf(child.pid) - cpuMs;
    const leftMs = seedMsMax - Math.max(usedMs, SHARE_MIN * (Date.now() - begunMs));
    if (leftMs <= 0) stop('hung');
    else timer = setTimeout(judgeHung, Math.max(leftMs, 1_000));
  };
  let timer = setTimeout(judgeHung, seedMsMax);
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(timer);
    begunMs = Date.now();
    timer = setTimeout(judgeHung, seedMsMax);
    const report: SeedReport = JSON.parse(line);
    done++;
    cpuMs = report.cpuMs;
    const { seed, law, message = '' } = report;
    if (law !== undefined) failed = { seed, law, message };
    else if (Date.now() > deadlineMs || cpuMs >= cpuMsMax) stop('early');
  }
  clearTimeout(timer);
  const code = await closed;
  const seed = from + done;
  if (failed === undefined && ended.hung) failed = { seed, law: 'a run ends', message: 'it runs for ever' };
  if (failed === undefined && !ended.early && code !== 0)
    failed = { seed, law: 'a process lives', message: stderr };
  return failed === undefined ? { count: done, cpuMs } : { count: Math.max(done, 1), cpuMs, failed };
}

/** What a process has had of the processor; 0 when nobody can tell. */
function cpuMsOf(pid: number | undefined): number {
  const { stdout } = spawnSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' });
  // [[days-]hours:]minutes:seconds
  const [seconds = 0, minutes = 0, hours = 0, days = 0] = (stdout ?? '')
    .trim()
    .split(/[-:]/)
    .map(Number)
    .reverse();
  return 1_000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)));
}

export interface SuiteRun {
  /** The first law that does not hold. */
  readonly failed?: { readonly law: string; readonly message: string };
}

/** Files of the unit suite: one, or all in a directory. */
export async function runSuite(tree: string, path: string): Promise<SuiteRun> {
  const words = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter=json', path];
  const child = spawn(process.execPath, words, { cwd: tree, stdio: ['ignore', 'pipe', 'ignore'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), SUITE_MS);
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  const failed = firstFailure(text);
  return failed === undefined ? {} : { failed };
}

interface SuiteResult {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function firstFailure(text: string): SuiteRun['failed'] {
  const start = text.indexOf('{');
  if (start < 0) return { law: 'a suite ends', message: text.slice(0, 400) };
  const { testResults }: SuiteResult = JSON.parse(text.slice(start));
  if (testResults.length === 0) return { law: 'a suite exists', message: '' };
  for (const { assertionResults, status, message } of testResults) {
    const broken = assertionResults.find((one) => one.status === 'failed');
    if (broken !== undefined)
      return { law: `test: ${broken.title}`, message: broken.failureMessages[0]?.slice(0, 400) ?? '' };
    if (status === 'failed') return { law: 'a suite loads', message: message.slice(0, 400) };
  }
  return undefined;
}

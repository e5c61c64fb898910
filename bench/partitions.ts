/**
 * What a broker with very many partitions costs: a combined node as `quorate server` runs it, with few records in each
 * partition, stopped cleanly and started again, killed and started again, and left idle.
 * Run: node bench/partitions.ts [--partitions n] [--files n] [--keep directory] [--node-options '…']
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, platform } from 'node:process';
import { parseArgs } from 'node:util';
import { freePorts, makeTemporaryDirectory } from '../src/env/node/index.ts';
import { createClient } from '../src/index.ts';
import { count, describeMachine, fixed, printRow } from './figures.ts';

const MAIN = join(import.meta.dirname, '../src/cli/main.ts');
const RECORDS = 10;
const PARTITIONS_PER_TOPIC = 1000;
const SENDS_OUTSTANDING = 500;
const IDLE_MS = 15_000;
/** Kernel ticks of /proc/<pid>/stat in a second. */
const TICKS_PER_SECOND = 100;

const { values } = parseArgs({
  options: {
    partitions: { type: 'string', default: '10000' },
    files: { type: 'string', default: '1024' },
    keep: { type: 'string' },
    'node-options': { type: 'string', default: '' },
  },
});
const partitions = Number(values.partitions);
const [client = 0, replica = 0, controller = 0] = await freePorts(3);
const directory = values.keep ?? (await makeTemporaryDirectory('quorate-bench-partitions-'));
mkdirSync(directory, { recursive: true });

interface Node {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly readySeconds: number;
}

/** Resolves when the node says that it is ready. */
async function start(): Promise<Node> {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `CLIENT://127.0.0.1:${client},REPLICA://127.0.0.1:${replica},CONTROLLER://127.0.0.1:${controller}`,
    'log.dirs': `${directory}/data`,
    'log.level': 'warn',
  };
  const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const extra = values['node-options'].split(' ').filter((option) => option !== '');
  const startMs = performance.now();
  // The hard limit as well: Node raises the soft one to it.
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      `ulimit -n ${values.files}; exec "$@"`,
      'sh',
      execPath,
      ...extra,
      MAIN,
      'server',
      '--json',
      ...set,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('"ready"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the node ended with status ${code}`)));
  });
  return { child, pid: child.pid ?? 0, readySeconds: (performance.now() - startMs) / 1000 };
}

/** Seconds from the signal to the end. */
async function stop({ child }: Node, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
  const startMs = performance.now();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
  return (performance.now() - startMs) / 1000;
}

async function fill(): Promise<{ readonly createSeconds: number; readonly appendSeconds: number }> {
  await using quorate = createClient({ bootstrap: `127.0.0.1:${client}` });
  const topics = Math.ceil(partitions / PARTITIONS_PER_TOPIC);
  let startMs = performance.now();
  for (let topic = 0; topic < topics; topic++) {
    const size = Math.min(PARTITIONS_PER_TOPIC, partitions - topic * PARTITIONS_PER_TOPIC);
    await quorate.admin.createTopic(`many-${topic}`, { partitions: size });
  }
  const createSeconds = (performance.now() - startMs) / 1000;
  await using producer = quorate.producer({ lingerMs: 5 });
  startMs = performance.now();
  const sending = new Set<Promise<unknown>>();
  for (let n = 0; n < partitions; n++) {
    const partition = n % PARTITIONS_PER_TOPIC;
    const records = Array.from({ length: RECORDS }, () => ({ partition, value: Buffer.alloc(100, 'x') }));
    const sent = producer
      .send(`many-${Math.floor(n / PARTITIONS_PER_TOPIC)}`, records)
      .finally(() => sending.delete(sent));
    sending.add(sent);
    if (sending.size >= SENDS_OUTSTANDING) await Promise.race(sending);
  }
  await Promise.all(sending);
  return { createSeconds, appendSeconds: (performance.now() - startMs) / 1000 };
}

/** Whether every partition still has its records. */
async function check(): Promise<string> {
  await using quorate = createClient({ bootstrap: `127.0.0.1:${client}` });
  let records = 0;
  for (let topic = 0; topic < Math.ceil(partitions / PARTITIONS_PER_TOPIC); topic++) {
    await using consumer = quorate.consumer({ topic: `many-${topic}`, from: 'beginning' });
    await consumer.ready();
    for await (const batch of consumer.batchesUntilEnd()) records += batch.records.length;
  }
  return records === partitions * RECORDS ? 'all' : `${records} of ${partitions * RECORDS}`;
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Share of one core, per cent. */
async function idleCpu(pid: number): Promise<number> {
  const before = cpuSeconds(pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return ((cpuSeconds(pid) - before) / (IDLE_MS / 1000)) * 100;
}

async function describe(what: string, node: Node, more: Record<string, string>): Promise<void> {
  printRow({
    what,
    settings: `${count(partitions)} partitions of ${RECORDS} records`,
    figures: {
      ...more,
      'resident MB': count(residentMb(node.pid)),
      'open files': count(openFiles(node.pid)),
    },
  });
}

if (platform !== 'linux') throw new Error('it reads /proc');
console.log(`${describeMachine()}; at most ${values.files} open files`);
try {
  let node = await start();
  if (!readdirSync(`${directory}/data`).some((name) => name.startsWith('many-'))) {
    const { createSeconds, appendSeconds } = await fill();
    const seconds = { 'create s': fixed(createSeconds), 'append s': fixed(appendSeconds) };
    await describe('fill', node, seconds);
    printRow({ what: 'idle', settings: 'after it', figures: { 'CPU %': fixed(await idleCpu(node.pid)) } });
  }
  for (const [what, signal] of [
    ['clean', 'SIGTERM'],
    ['unclean', 'SIGKILL'],
    ['clean again', 'SIGTERM'],
  ] as const) {
    const stopSeconds = await stop(node, signal);
    node = await start();
    await describe(what, node, { 'stop s': fixed(stopSeconds), 'start s': fixed(node.readySeconds) });
    const idle = await idleCpu(node.pid);
    printRow({ what: 'idle', settings: 'after it', figures: { 'CPU %': fixed(idle) } });
  }
  await describe('read back', node, { records: await check() });
  await stop(node, 'SIGTERM');
} finally {
  if (values.keep === undefined) rmSync(directory, { recursive: true, force: true });
}

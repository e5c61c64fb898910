/**
 * Six processes, a file, two murders: kills the leader of a partition and then the active controller with `kill -9` while the
 * file is produced with acks=all, starts both again, reads everything back. Ends with status 1 if anything was lost or doubled.
 */
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { type NodeId, StartupError } from '../../base/index.ts';
import type { Client } from '../../client/index.ts';
import { readWholeFile } from '../../env/index.ts';
import { freePorts, makeTemporaryDirectory, nodeFiles } from '../../env/node/index.ts';
import { createClient } from '../../index.ts';
import { type ClusterPlan, formatCluster, layoutCluster } from '../../server/index.ts';
import { DemoProducer, judge } from '../demo/story.ts';
import { writeNodeFiles } from '../dev/dev-plan.ts';
import { NodeProcesses } from '../dev/node-processes.ts';
import { readLines } from '../lines.ts';
import { counted, EXIT_REFUSED, fail, printJson, printLine } from '../output.ts';
import { realWorld } from '../world.ts';

interface DemoOptions {
  readonly file?: string;
  readonly seconds: string;
  readonly json?: boolean;
}

const TOPIC = 'demo';
const PARTITIONS = 3;
const CHUNK_LINES = 50;
/** Files that a machine is likely to have, best first; the last is this program's own. */
const FILES = ['/var/lib/dpkg/status', '/usr/share/dict/words', '/var/log/dpkg.log', '/etc/services'];

export function defineDemo(command: Command): void {
  command
    .option('--file <path>', 'the file to produce; default: a text file of this machine')
    .option('--seconds <n>', 'how long producing takes', '12')
    .option('--json', 'one JSON object at the end')
    .action(async (options: DemoOptions) => {
      try {
        process.exit(await demo(options));
      } catch (error) {
        fail(error, options.json === true);
      }
    });
}

async function demo(options: DemoOptions): Promise<number> {
  const say = options.json ? () => {} : printLine;
  const directory = await makeTemporaryDirectory('quorate-demo-');
  const ports = await freePorts(9);
  const settings = { 'log.level': 'error' };
  const plan = layoutCluster({ directory, controllers: 3, brokers: 3, host: '127.0.0.1', ports, settings });
  const { environment } = realWorld({ logLevel: 'error' });
  await writeNodeFiles(plan, environment);
  await formatCluster(plan, environment);
  const processes = new NodeProcesses(plan, () => {});
  try {
    const startMs = performance.now();
    await processes.start();
    say(`six processes ready in ${Math.round(performance.now() - startMs)} ms, data in ${directory}`);
    await using client = createClient({ bootstrap: plan.bootstrap, clientId: 'quorate-demo' });
    return await play({ client, processes, plan, options, say });
  } finally {
    await processes.stop();
    await nodeFiles().removeDirectory(directory);
  }
}

interface Stage {
  readonly client: Client;
  readonly processes: NodeProcesses;
  readonly plan: ClusterPlan;
  readonly options: DemoOptions;
  readonly say: (text: string) => void;
}

async function play(stage: Stage): Promise<number> {
  const { client, options, say } = stage;
  const path = options.file ?? (await findFile());
  const lines = await linesOf(path);
  const spec = { partitions: PARTITIONS, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } };
  await client.admin.createTopic(TOPIC, spec);
  say(`topic "${TOPIC}": ${PARTITIONS} partitions with 3 replicas each, min.insync.replicas=2`);
  say(`producing ${path}, ${counted(lines.length, 'line')}, with acks=all`);
  const producer = new DemoProducer(client, TOPIC);
  const events = murders(stage);
  const chunks = Math.ceil(lines.length / CHUNK_LINES);
  const paceMs = (Number(options.seconds) * 1000) / chunks;
  const startMs = performance.now();
  for (let chunk = 0; chunk < chunks; chunk++) {
    const first = chunk * CHUNK_LINES;
    producer.send({ partition: chunk % PARTITIONS, first, lines: lines.slice(first, first + CHUNK_LINES) });
    while (events[0] !== undefined && chunk >= events[0].at * chunks) events.shift()?.act();
    await pause(Math.max(0, startMs + (chunk + 1) * paceMs - performance.now()));
  }
  await producer.finish();
  const verdict = await judge(client, TOPIC, lines, producer.acknowledged);
  return conclude(producer, verdict, stage);
}

/** What happens when, as a share of the file. Each runs beside the producing. */
function murders({ client, processes, plan, say }: Stage): { at: number; act: () => void }[] {
  let victim: NodeId = -1;
  const guarded = (work: () => Promise<void>) => () => {
    work().catch((error: unknown) => say(`  ${error instanceof Error ? error.message : String(error)}`));
  };
  const restart = guarded(async () => {
    const node = plan.nodes.find(({ id }) => id === victim);
    if (node === undefined) return;
    await processes.startNode(node);
    say(`  ${node.name} is back`);
  });
  const kill = (what: string, id: NodeId): void => {
    victim = id;
    void processes.kill(id);
    say(`  kill -9: ${what}`);
  };
  const killLeader = guarded(async () => {
    const { partitions } = await client.admin.describeTopic(TOPIC);
    kill(`broker ${partitions[0]?.leaderId}, which leads ${TOPIC}-0`, partitions[0]?.leaderId ?? -1);
  });
  const killController = guarded(async () => {
    const { leaderId } = await client.admin.describeQuorum();
    kill(`controller ${leaderId}, the active one`, leaderId);
  });
  return [
    { at: 0.15, act: killLeader },
    { at: 0.4, act: restart },
    { at: 0.6, act: killController },
    { at: 0.8, act: restart },
  ];
}

function conclude(
  producer: DemoProducer,
  verdict: Awaited<ReturnType<typeof judge>>,
  { options, say }: Stage,
): number {
  const silence = [...producer.longestSilenceMs].toSorted(([a], [b]) => a - b);
  for (const [partition, ms] of silence)
    say(`partition ${partition}: longest time without an acknowledgement ${Math.round(ms)} ms`);
  const { acknowledged, read, lost, duplicated } = verdict;
  say(
    `acknowledged ${acknowledged}, read ${read}, lost ${lost}, duplicated ${duplicated}, failed ${producer.failed}`,
  );
  say(lost + duplicated === 0 ? 'nothing was lost, nothing was doubled' : 'THIS MUST NOT HAPPEN');
  if (options.json)
    printJson({
      ...verdict,
      failed: producer.failed,
      unavailable_ms: Object.fromEntries(silence.map(([id, ms]) => [id, Math.round(ms)])),
    });
  return lost + duplicated === 0 && acknowledged > 0 ? 0 : EXIT_REFUSED;
}

async function findFile(): Promise<string> {
  for (const path of FILES) if ((await nodeFiles().stat(path)) !== undefined) return path;
  return process.argv[1] ?? '';
}

async function linesOf(path: string): Promise<Buffer[]> {
  const bytes = await readWholeFile(nodeFiles(), path);
  if (bytes === undefined || bytes.length === 0) throw new StartupError(`${path} is missing or empty`);
  const lines: Buffer[] = [];
  for await (const some of readLines(one(bytes))) lines.push(...some);
  return lines;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Real processes, real kills: six nodes under load while a nemesis drawn from `--seed` does to processes, links, disks and
 * clocks what machines do; then everything heals and the whole history is judged. Ends with status 1 when something did not
 * hold; the data stay for a look.
 *
 *     node test/chaos/main.ts --minutes 2 --seed 7
 *     node test/chaos/main.ts --minutes 2 --only kill-leader,cut
 *     node test/chaos/main.ts --minutes 1 --network loopback --no-shim
 *     node test/chaos/main.ts --minutes 60 --no-history
 */
import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeTemporaryDirectory } from '../../src/env/node/index.ts';
import { createClient } from '../../src/index.ts';
import type { NodePlan } from '../../src/server/index.ts';
import type { CheckOptions } from '../../src/testing/index.ts';
import { digestProblem, inspectLogs, isrProblem, readAll, replicaProblem, settle } from './aftermath.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { SLOW_LINE } from './failover-report.ts';
import { Failovers, Silences } from './failovers.ts';
import { CACHING_TOPIC, LOOSE_TOPIC, Load, PARTITIONS, TOPIC } from './load.ts';
import { inspectMachine } from './machine.ts';
import { Nemesis } from './nemesis.ts';
import { Observations } from './observations.ts';
import { report } from './report.ts';
import { placesOf, Stage } from './steps/stage.ts';

/** Generous: a machine that runs other things as well is slow. */
const HEALED_WITHIN_MS = 30_000;
const FULL_WITHIN_MS = 60_000;

/** Nothing loses what was acknowledged where records are on disks before, for disks keep what was synced. */
const DEMANDS: CheckOptions = {
  topics: {
    [TOPIC]: { minInsyncReplicas: 2 },
    [LOOSE_TOPIC]: { minInsyncReplicas: 1 },
    [CACHING_TOPIC]: { losesUnsynced: true },
  },
  required: ['acked', 'polled', 'polled-finally'],
};

const { values: args } = parseArgs({
  allowNegative: true,
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    producers: { type: 'string', default: '4' },
    keep: { type: 'boolean', default: false },
    history: { type: 'boolean', default: true },
    only: { type: 'string' },
    network: { type: 'string', default: 'auto' },
    shim: { type: 'boolean', default: true },
    'log-level': { type: 'string', default: 'info' },
    quiet: { type: 'boolean', default: false },
  },
});
const beganMs = performance.now();
/** What is printed goes there too: it belongs to what a failed run leaves. */
let journal: string | undefined;
const seed = Number(args.seed);
try {
  process.exit(await main(Number(args.minutes)));
} catch (error) {
  process.stdout.write(`the run itself failed: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(2);
}

function print(text: string): void {
  const atS = ((performance.now() - beganMs) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`${atS} ${text}\n`);
  if (journal !== undefined) appendFileSync(journal, `${atS} ${text}\n`);
}

async function main(minutes: number): Promise<number> {
  const directory = await makeTemporaryDirectory('quorate-chaos-');
  journal = `${directory}/run.log`;
  const history = new Observations(DEMANDS, args.history ? `${directory}/history.jsonl` : undefined);
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(event, (error: unknown) =>
      history.find(`${event}: ${error instanceof Error ? error.stack : error}`),
    );
  const { network } = args;
  if (network !== 'auto' && network !== 'namespaces' && network !== 'loopback')
    throw new Error(`--network is auto, namespaces or loopback, not ${network}`);
  const machine = await inspectMachine({ network, shim: args.shim, directory });
  const cluster = await createCluster(directory, machine, { seed, logLevel: args['log-level'] });
  print(`seed ${seed}, ${minutes} minutes, ${machine.network}, data in ${directory}`);
  const end = async (): Promise<void> => {
    await cluster.nodes.stopAll();
    await cluster.network.remove();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(130)));
  let isSlow = false;
  try {
    for (const line of await run(cluster, machine, history, minutes)) {
      print(line);
      isSlow ||= line.startsWith(SLOW_LINE);
    }
  } finally {
    await end();
  }
  const count = history.problems.length;
  const slow = isSlow ? `, logs of slow kills in ${directory}` : '';
  print(
    `seed ${seed}: ${count === 0 ? `everything held${slow}` : `${count} findings, data in ${directory}`}`,
  );
  if (count === 0 && !args.keep) removeData(directory, isSlow);
  return count === 0 ? 0 : 1;
}

function removeData(directory: string, keepsLogs: boolean): void {
  if (!keepsLogs) rmSync(directory, { recursive: true, force: true });
  else
    for (const name of readdirSync(directory).filter((one) => !one.endsWith('.log')))
      rmSync(`${directory}/${name}`, { recursive: true, force: true });
}

async function run(
  cluster: Cluster,
  machine: Awaited<ReturnType<typeof inspectMachine>>,
  history: Observations,
  minutes: number,
): Promise<string[]> {
  const { nodes, network, disks } = cluster;
  const { plan } = nodes;
  const say = args.quiet ? () => {} : print;
  const whenReady = async (): Promise<number> =>
    settle(history, 'six nodes ready', FULL_WITHIN_MS, async () =>
      nodes.allUp ? undefined : 'some are not',
    );
  for (const node of plan.nodes) nodes.start(node);
  await whenReady();
  const client = createClient({ bootstrap: plan.bootstrap, clientId: 'chaos' });
  const { admin } = client;
  const spec = { partitions: PARTITIONS, replicationFactor: 3 };
  await admin.createTopic(TOPIC, { ...spec, configs: { 'min.insync.replicas': '2' } });
  await admin.createTopic(LOOSE_TOPIC, { ...spec, configs: { 'min.insync.replicas': '1' } });
  const caching = { 'min.insync.replicas': '2', 'write.caching': 'true' };
  await admin.createTopic(CACHING_TOPIC, { ...spec, configs: caching });

  const failovers = new Failovers({
    topic: TOPIC,
    partitions: PARTITIONS,
    look: (partitions) => placesOf(admin, TOPIC, partitions),
  });
  const silences = new Silences();
  const load = new Load({
    bootstrap: plan.bootstrap,
    seed,
    producers: Number(args.producers),
    history,
    failovers,
    silences,
  });
  silences.begin(PARTITIONS);
  load.start();
  const before = plan.nodes.map(({ id }) => nodes.footprint(id));
  const noteLoss = ({ id }: NodePlan): void =>
    void history.recorder.note('nemesis', {
      f: 'fault',
      fault: 'lost power',
      nodes: [id],
      lossy: 'unsynced',
    });
  const stage = new Stage({ nodes, network, disks, admin, topic: TOPIC, failovers, say, noteLoss });
  const nemesis = new Nemesis(stage, {
    seed,
    onStep: (fault) => void history.recorder.note('nemesis', { f: 'fault', fault }),
    ...(args.only === undefined ? {} : { only: args.only.split(',') }),
  });
  await nemesis.run(performance.now() + minutes * 60_000);
  await heal(cluster);
  stage.count('bits flipped', await network.countFlips());
  const healedMs = performance.now();
  say('healed');

  const ackMs = await settle(history, 'an acknowledgement in every partition', HEALED_WITHIN_MS, async () => {
    const silent = load.silentSince(healedMs);
    return silent.length === 0 ? undefined : `nothing in partitions ${silent}`;
  });
  const isrMs = await settle(history, 'full in-sync sets', FULL_WITHIN_MS, () => isrProblem(admin));
  await whenReady();
  await load.stopProducing();
  say('producers are done');
  await settle(history, 'equal replicas', FULL_WITHIN_MS, async () => replicaProblem(nodes));
  await settle(history, 'equal images', FULL_WITHIN_MS, () => digestProblem(nodes));
  await load.stopReading();
  history.recorder.note('nemesis', { f: 'mark', mark: 'final' });
  for (const topic of [TOPIC, LOOSE_TOPIC, CACHING_TOPIC])
    for (const node of nodes.brokers) await readAll(history, topic, PARTITIONS, node);
  const verdict = history.judge();
  for (const surprise of nodes.surprises) history.find(surprise);
  await client.close();
  await pause(500);
  const footprints = plan.nodes.map(
    ({ id, name }, index) => [name, before[index], nodes.footprint(id)] as const,
  );
  await nodes.stopAll();
  const logged = inspectLogs(nodes, history);
  const healing = { ackMs, isrMs };
  return report({
    machine,
    nemesis,
    stage,
    problems: history.problems,
    unsynced: history.unsynced,
    verdict,
    failovers,
    silences,
    beganMs,
    healing,
    logged,
    footprints,
  });
}

async function heal({ nodes, network, disks }: Cluster): Promise<void> {
  await network.heal();
  for (const disk of disks.values()) disk.heal();
  for (const { id } of nodes.plan.nodes) nodes.resume(id);
  for (const node of nodes.plan.nodes) nodes.start(node);
}

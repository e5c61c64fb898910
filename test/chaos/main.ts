/**
 * Real processes, real kills: six nodes under load while a nemesis drawn from `--seed` kills, stops and restarts them; then
 * everything heals and the whole history is judged. Ends with status 1 when something did not hold; the data stay for a look.
 *
 *     node test/chaos/main.ts --minutes 2 --seed 7
 *     node test/chaos/main.ts --minutes 2 --only kill-leader,kill-active-controller
 */
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeNodeFiles } from '../../src/cli/dev/dev-plan.ts';
import { realWorld } from '../../src/cli/world.ts';
import { freePorts, makeTemporaryDirectory, nodeFiles } from '../../src/env/node/index.ts';
import { createClient } from '../../src/index.ts';
import { formatCluster, layoutCluster } from '../../src/server/index.ts';
import { digestProblem, inspectLogs, isrProblem, readAll, replicaProblem, settle } from './aftermath.ts';
import { Failovers, percentile } from './failovers.ts';
import { History } from './history.ts';
import { Nemesis } from './nemesis.ts';
import { Nodes } from './nodes.ts';
import { ProducingClient, ReadingClient } from './workload.ts';

const TOPIC = 'strict';
const LOOSE_TOPIC = 'loose';
const PARTITIONS = 3;
const HEALED_WITHIN_MS = 10_000;
const FULL_WITHIN_MS = 30_000;

const { values: args } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    producers: { type: 'string', default: '4' },
    keep: { type: 'boolean', default: false },
    only: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});
try {
  process.exit(await main(Number(args.minutes), Number(args.seed)));
} catch (error) {
  process.stdout.write(`the run itself failed: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(2);
}

async function main(minutes: number, seed: number): Promise<number> {
  const beganMs = performance.now();
  const at = (): string => ((performance.now() - beganMs) / 1000).toFixed(1).padStart(6);
  const print = (text: string): void => void process.stdout.write(`${at()} ${text}\n`);
  const say = args.quiet ? () => {} : print;
  const history = new History();
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(event, (error: unknown) =>
      history.find(`${event}: ${error instanceof Error ? error.stack : error}`),
    );
  const directory = await makeTemporaryDirectory('quorate-chaos-');
  const settings = { 'log.level': 'warn', 'log.segment.bytes': String(2 ** 20) };
  const plan = layoutCluster({
    directory,
    controllers: 3,
    brokers: 3,
    host: '127.0.0.1',
    ports: await freePorts(9),
    settings,
  });
  const { environment } = realWorld({ logLevel: 'error' });
  await writeNodeFiles(plan, environment);
  await formatCluster(plan, environment);
  const nodes = new Nodes(plan);
  print(`seed ${seed}, ${minutes} minutes, data in ${directory}`);
  for (const node of plan.nodes) nodes.start(node);
  await settle(history, 'six nodes ready', FULL_WITHIN_MS, async () =>
    nodes.allUp ? undefined : 'some are not',
  );
  const client = createClient({ bootstrap: plan.bootstrap, clientId: 'chaos' });
  const { admin } = client;
  const spec = { partitions: PARTITIONS, replicationFactor: 3 };
  await admin.createTopic(TOPIC, { ...spec, configs: { 'min.insync.replicas': '2' } });
  await admin.createTopic(LOOSE_TOPIC, { ...spec, configs: { 'min.insync.replicas': '1' } });

  const failovers = new Failovers(TOPIC, PARTITIONS);
  const lastAckMs = new Map<number, number>();
  const onAck = (topic: string, partition: number, sentMs: number): void => {
    failovers.handleAck(topic, partition, sentMs);
    if (topic === TOPIC) lastAckMs.set(partition, Math.max(sentMs, lastAckMs.get(partition) ?? 0));
  };
  const producers = Array.from({ length: Number(args.producers) }, (_, index) => {
    // Some give up soon, so that records that failed, or perhaps did, are in the history too.
    const deliveryTimeoutMs = [120_000, 3000, 15_000, 800][index % 4] ?? 120_000;
    const options = {
      acks: 'all',
      deliveryTimeoutMs,
      requestTimeoutMs: Math.min(deliveryTimeoutMs, 10_000),
    } as const;
    const about = { name: `p${index}`, topic: TOPIC, partitions: PARTITIONS, options };
    return new ProducingClient(about, plan.bootstrap, seed, history, onAck);
  });
  const loose = new ProducingClient(
    {
      name: 'loose',
      topic: LOOSE_TOPIC,
      partitions: PARTITIONS,
      options: { acks: 'all', deliveryTimeoutMs: 20_000 },
    },
    plan.bootstrap,
    seed,
    history,
    onAck,
  );
  const readers = [
    new ReadingClient('long-reader', TOPIC, plan.bootstrap, seed, history),
    new ReadingClient('short-reader', TOPIC, plan.bootstrap, seed, history),
    new ReadingClient('loose-reader', LOOSE_TOPIC, plan.bootstrap, seed, history),
  ];
  const producing = [...producers, loose].map((producer) => producer.run());
  const reading = readers.map((reader, index) => reader.run(index === 0 ? 10 ** 9 : 20_000));
  const before = plan.nodes.map(({ id }) => nodes.footprint(id));

  const nemesis = new Nemesis({
    nodes,
    admin,
    topic: TOPIC,
    seed,
    failovers,
    say,
    ...(args.only === undefined ? {} : { only: args.only.split(',') }),
  });
  await nemesis.run(performance.now() + minutes * 60_000);

  for (const { id } of plan.nodes) nodes.resume(id);
  for (const node of plan.nodes) nodes.start(node);
  const healedMs = performance.now();
  say('healed');
  const ackMs = await settle(history, 'an acknowledgement in every partition', HEALED_WITHIN_MS, async () => {
    const silent = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(
      (partition) => (lastAckMs.get(partition) ?? 0) <= healedMs,
    );
    return silent.length === 0 ? undefined : `nothing in partitions ${silent}`;
  });
  const isrMs = await settle(history, 'full in-sync sets', FULL_WITHIN_MS, () => isrProblem(admin));
  await settle(history, 'all nodes ready', FULL_WITHIN_MS, async () =>
    nodes.allUp ? undefined : 'some are not',
  );
  for (const producer of [...producers, loose]) producer.stop();
  await Promise.all(producing);
  say('producers are done');
  await settle(history, 'equal replicas', FULL_WITHIN_MS, async () => replicaProblem(nodes));
  await settle(history, 'equal images', FULL_WITHIN_MS, () => digestProblem(nodes));
  for (const reader of readers) reader.stop();
  await Promise.all(reading);
  for (const topic of [TOPIC, LOOSE_TOPIC])
    for (const { id, listeners } of nodes.brokers)
      await readAll(history, topic, `final reader at ${id}`, listeners.CLIENT).catch((error: unknown) =>
        history.find(`final read of ${topic} at ${id}: ${String(error)}`),
      );
  history.judge([TOPIC, LOOSE_TOPIC]);
  for (const surprise of nodes.surprises) history.find(surprise);
  await client.close();
  await pause(500);
  const after = plan.nodes.map(({ id }) => nodes.footprint(id));
  await nodes.stopAll();
  const logged = inspectLogs(nodes, history);

  for (const [kind, count] of [...logged].sort()) print(`log: ${count} x ${kind}`);
  for (const [index, { name }] of plan.nodes.entries())
    print(`${name}: ${JSON.stringify(before[index])} -> ${JSON.stringify(after[index])}`);
  for (const [kind, tookMs] of [...failovers.tookMs].sort())
    print(
      `${kind}: ${tookMs.length} times, to the first ack everywhere median ${percentile(tookMs, 0.5)} ms, p99 ${percentile(tookMs, 0.99)} ms`,
    );
  print(`after healing: first ack everywhere ${ackMs} ms, full in-sync sets ${isrMs} ms later`);
  print(
    `records: ${history.count('ok')} ok, ${history.count('failed')} failed, ${history.count('unknown')} unknown; ${history.readCount} in the logs`,
  );
  print(`steps: ${[...nemesis.steps].map(([step, count]) => `${step} ${count}`).join(', ')}`);
  for (const finding of history.findings) print(`FINDING ${finding}`);
  print(
    history.findings.length === 0
      ? `seed ${seed}: everything held`
      : `seed ${seed}: ${history.findings.length} findings, data in ${directory}`,
  );
  if (history.findings.length === 0 && !args.keep) await nodeFiles().removeDirectory(directory);
  return history.findings.length === 0 ? 0 : 1;
}

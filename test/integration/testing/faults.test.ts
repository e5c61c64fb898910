import { expect, test } from 'vitest';
import { type StartClusterOptions, startCluster, type TestCluster } from '../../../src/testing/index.ts';

/** Who is silent for so long is taken for dead. */
const IMPATIENT: StartClusterOptions = {
  settings: { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' },
};
const SPEC = { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } };

async function startWithTopic(): Promise<TestCluster> {
  const cluster = await startCluster(IMPATIENT);
  await cluster.admin.createTopic('t', SPEC);
  return cluster;
}

function inSync(cluster: TestCluster, count: number): Promise<true> {
  return cluster.until(`${count} in sync`, async () =>
    (await cluster.partitionOf('t', 0))?.isr.length === count ? true : undefined,
  );
}

async function valuesOf(cluster: TestCluster): Promise<(string | undefined)[]> {
  return (await cluster.readAll('t')).map((record) => record.value?.toString());
}

test('a paused leader is replaced, and goes on as a follower when it resumes', async () => {
  await using cluster = await startWithTopic();
  const producer = cluster.producer();
  await producer.send('t', { value: 'before' });
  const leader = await cluster.leaderOf('t', 0);
  cluster.pause(leader);
  await producer.send('t', { value: 'during' });
  expect(await cluster.leaderOf('t', 0)).not.toBe(leader);
  cluster.resume(leader);
  await inSync(cluster, 3);
  await producer.send('t', { value: 'after' });
  expect(await valuesOf(cluster)).toEqual(['before', 'during', 'after']);
});

test('the others elect a controller while the active one is isolated; a paused one can be killed and started', async () => {
  await using cluster = await startWithTopic();
  const first = await cluster.activeController();
  const isolated = cluster.isolate(first);
  await cluster.admin.createTopic('u', SPEC);
  isolated.heal();
  const [second] = cluster.controllers.filter((id) => id !== first);
  cluster.pause(second as number);
  await cluster.kill(second as number);
  await cluster.start(second as number);
  await cluster.admin.createTopic('v', SPEC);
  expect((await cluster.admin.listTopics()).length).toBe(3);
});

test('a full disk, a broken one and a slow one trouble the node they belong to, until they are healed', async () => {
  await using cluster = await startWithTopic();
  const [slow, full, broken] = cluster.brokers as [number, number, number];
  await inSync(cluster, 3);
  cluster.slowDisk(slow, 5);
  for (const [id, ruin] of [
    [full, () => cluster.fullDisk(full)],
    [broken, () => cluster.failDisk(broken)],
  ] as const) {
    const ruined = ruin();
    const producer = cluster.producer();
    await cluster.until('the end of the broker', async () => {
      await producer.send('t', { value: 'x' });
      return cluster.endOf(id);
    });
    expect(cluster.endOf(id)?.reason).toBe('storage');
    ruined.heal();
    await cluster.start(id);
    await inSync(cluster, 3);
  }
});

test('a power failure takes what was acknowledged without a sync, and nothing else', async () => {
  await using cluster = await startCluster({ controllers: 1, brokers: 1 });
  for (const [topic, caching] of [
    ['safe', 'false'],
    ['t', 'true'],
  ] as const)
    await cluster.admin.createTopic(topic, { partitions: 1, configs: { 'write.caching': caching } });
  for (const topic of ['safe', 't']) await cluster.producer().send(topic, { value: 'acknowledged' });
  expect(await valuesOf(cluster)).toEqual(['acknowledged']);
  expect(await cluster.loseUnsynced(1)).toBeGreaterThan(0);
  await cluster.start(1);
  expect(await valuesOf(cluster)).toEqual([]);
  expect(await cluster.readAll('safe')).toHaveLength(1);
});

test('a node stamps records with its own date', async () => {
  await using cluster = await startCluster({ controllers: 1, brokers: 1 });
  const configs = { 'message.timestamp.type': 'LogAppendTime' };
  await cluster.admin.createTopic('t', { partitions: 1, configs });
  const producer = cluster.producer();
  await producer.send('t', { value: 'today' });
  cluster.clock.advance(24 * 3_600_000);
  await producer.send('t', { value: 'tomorrow' });
  const [today, tomorrow] = (await cluster.readAll('t')).map(({ timestampMs }) => timestampMs);
  expect(Number(tomorrow) - Number(today)).toBeGreaterThanOrEqual(24 * 3_600_000);
  cluster.heal();
  expect(cluster.clock.aheadMs(1)).toBe(0);
});

test('a cluster is closed whatever is broken in it', async () => {
  const cluster = await startWithTopic();
  cluster.partition([1, 'clients'], [2, 3], cluster.controllers);
  cluster.pause(2);
  cluster.slowDisk(3, 60_000);
  cluster.dropNext({ method: 'quorum.fetch', message: 'reply' });
  await cluster.close();
  expect(cluster.isRunning(2)).toBe(false);
});

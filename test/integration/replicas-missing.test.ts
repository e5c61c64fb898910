import { describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';

const SPEC = { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } };
const IMPATIENT = { deliveryTimeoutMs: 2000, requestTimeoutMs: 1000 };

async function keepOnlyLeader(cluster: TestCluster, topic: string): Promise<readonly number[]> {
  const leader = await cluster.leaderOf(topic, 0);
  const others = cluster.brokers.filter((id) => id !== leader);
  for (const id of others) await cluster.stop(id);
  await cluster.until('the others out of the in-sync set', async () => {
    const partition = await cluster.partitionOf(topic, 0);
    return partition?.isr.length === 1 && partition.leaderId === leader ? true : undefined;
  });
  return others;
}

describe('with two of three brokers stopped', () => {
  test('acks=all is refused with the reason, acks=1 is accepted, and nothing of it is read before the others return', async () => {
    await using cluster = await startCluster();
    await cluster.admin.createTopic('t', SPEC);
    await cluster.producer().send('t', { value: 'replicated' });
    const others = await keepOnlyLeader(cluster, 't');

    const refused = cluster.producer(IMPATIENT).send('t', { value: 'refused' });
    await expect(refused).rejects.toMatchObject({
      code: 'NOT_ENOUGH_REPLICAS',
      message: expect.stringMatching(/t-0 has 1 in-sync replica of 2 required/),
    });

    const one = await cluster
      .producer({ ...IMPATIENT, acks: 1, idempotence: false })
      .send('t', { value: 'alone' });
    expect(one.offset).toBe(1);
    const before = (await cluster.readAll('t')).map((record) => record.value?.toString());
    expect(before).toEqual(['replicated']);

    await Promise.all(others.map((id) => cluster.start(id)));
    await cluster.until('a full in-sync set', async () =>
      (await cluster.partitionOf('t', 0))?.isr.length === 3 ? true : undefined,
    );
    const after = (await cluster.readAll('t')).map((record) => record.value?.toString());
    expect(after).toEqual(['replicated', 'alone']);
  });
});

describe('with two of three controllers stopped', () => {
  test('records flow, creating a topic fails in bounded time with the reason, and works when one returns', async () => {
    await using cluster = await startCluster();
    await cluster.admin.createTopic('t', SPEC);
    const [first, second] = cluster.controllers;
    if (first === undefined || second === undefined) throw new Error('three controllers were asked for');
    await cluster.kill(first);
    await cluster.kill(second);

    await cluster.producer().send('t', { value: 'without a quorum' });
    expect(await cluster.readAll('t')).toHaveLength(1);
    const refused = cluster.admin.createTopic('u', SPEC, { timeoutMs: 3000 });
    // Indefinite: the controller that is left may have appended it, and it is committed once a second one returns.
    await expect(refused).rejects.toMatchObject({
      definite: false,
      message: expect.stringMatching(/controller/),
    });

    await cluster.start(first);
    await cluster.activeController();
    await cluster.admin.createTopic('v', SPEC);
    expect((await cluster.admin.describeTopic('v')).partitions).toHaveLength(1);
  });
});

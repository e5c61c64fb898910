/** A leader that is cut off from the others: nothing it took is lost, nothing is stored twice, and it comes back. */
import { startCluster } from 'quorate/testing';
import { expect, it } from 'vitest';

/** A broker that is not heard for so long is taken for dead. */
const IMPATIENT = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' };

it('a producer sends on while the leader is cut off', async () => {
  await using cluster = await startCluster({ controllers: 3, brokers: 3, settings: IMPATIENT });
  const configs = { 'min.insync.replicas': '2' };
  await cluster.admin.createTopic('orders', { partitions: 1, replicationFactor: 3, configs });
  const producer = cluster.producer();
  await producer.send('orders', { value: 'before' });

  const leader = await cluster.leaderOf('orders', 0);
  {
    // Clients reach everybody, so the old leader goes on taking records that it may not acknowledge.
    const others = [...cluster.brokers, ...cluster.controllers].filter((id) => id !== leader);
    using _cut = cluster.partition([leader], others);
    await producer.send('orders', { value: 'during' });
    expect(await cluster.leaderOf('orders', 0)).not.toBe(leader);
  }

  await cluster.until('the old leader is in sync again', async () => {
    const description = await cluster.partitionOf('orders', 0);
    return description?.isr.includes(leader) ? true : undefined;
  });
  await producer.send('orders', { value: 'after' });
  const values = (await cluster.readAll('orders')).map((record) => record.value?.toString());
  expect(values).toEqual(['before', 'during', 'after']);
});

import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';

test('everything acknowledged is there after all six nodes were killed at once and started again', async () => {
  await using cluster = await startCluster();
  const configs = { 'min.insync.replicas': '2' };
  await cluster.admin.createTopic('t', { partitions: 3, replicationFactor: 3, configs });
  const producer = cluster.producer({ deliveryTimeoutMs: 60_000 });
  const acknowledged = new Set<string>();
  const sends: Promise<unknown>[] = [];
  for (let i = 0; i < 2000; i++) {
    const value = `record ${i}`;
    sends.push(producer.send('t', { value }).then(() => acknowledged.add(value)));
  }
  await Promise.race(sends.slice(300, 400));
  const nodes = [...cluster.controllers, ...cluster.brokers];
  await Promise.all(nodes.map((id) => cluster.kill(id)));
  const before = acknowledged.size;
  await Promise.all(nodes.map((id) => cluster.start(id)));
  await Promise.all(sends);

  const read = (await cluster.readAll('t')).map((record) => record.value?.toString());
  expect(before).toBeGreaterThan(0);
  expect(new Set(read)).toEqual(acknowledged);
  expect(read).toHaveLength(2000);
});

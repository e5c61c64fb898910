import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';

test('a record acknowledged by all survives the death of its leader', async () => {
  await using cluster = await startCluster({ controllers: 3, brokers: 3 });
  const configs = { 'min.insync.replicas': '2' };
  await cluster.admin.createTopic('orders', { partitions: 3, replicationFactor: 3, configs });
  await cluster.producer().send('orders', { key: 'a', value: '1' });
  await cluster.kill(await cluster.leaderOf('orders', 0));
  expect(await cluster.readAll('orders')).toHaveLength(1);
});

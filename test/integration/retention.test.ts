import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';

test('segments beyond retention.bytes go away on every replica, and reading begins after them', async () => {
  const settings = { 'log.retention.check.interval.ms': '20' };
  await using cluster = await startCluster({ controllers: 1, brokers: 3, settings });
  const configs = { 'segment.bytes': '2000', 'retention.bytes': '4000' };
  await cluster.admin.createTopic('t', { partitions: 1, replicationFactor: 3, configs });
  const producer = cluster.producer();
  for (let i = 0; i < 50; i++) await producer.send('t', { value: Buffer.alloc(500, i) });

  await using consumer = cluster.client.consumer({ topic: 't', from: 'beginning' });
  await cluster.until('a log that holds little more than it should', async () => {
    const [beginning] = await consumer.beginningOffsets();
    return beginning !== undefined && beginning.offset > 40 ? beginning : undefined;
  });
  const offsets = (await cluster.readAll('t')).map((record) => record.offset);
  expect(offsets[0]).toBeGreaterThan(40);
  expect(offsets.at(-1)).toBe(49);
});

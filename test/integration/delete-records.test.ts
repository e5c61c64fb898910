import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';

test('deleted records are gone on every replica, for consumers old and new, and stay so after a restart', async () => {
  await using cluster = await startCluster({ controllers: 1, brokers: 3 });
  await cluster.admin.createTopic('t', { partitions: 2, replicationFactor: 3 });
  const producer = cluster.producer();
  for (let i = 0; i < 20; i++) await producer.send('t', { value: `v${i}`, partition: i % 2 });

  await using early = cluster.client.consumer({ topic: 't', from: 'beginning' });
  const outcomes = await cluster.admin.deleteRecords([
    { topic: 't', partition: 0, before: 7 },
    { topic: 't', partition: 1, before: 'end' },
  ]);
  expect(outcomes.map(({ error, lowWatermark }) => [error, lowWatermark])).toEqual([
    ['NONE', 7],
    ['NONE', 10],
  ]);
  const begins = (await early.beginningOffsets()).map(({ partition, offset }) => [partition, offset]);
  expect(begins.sort()).toEqual([
    [0, 7],
    [1, 10],
  ]);
  const left = async () => (await cluster.readAll('t')).map(({ value }) => value?.toString());
  expect(await left()).toEqual(['v14', 'v16', 'v18']);

  for (const id of cluster.brokers) {
    await cluster.stop(id);
    await cluster.start(id);
  }
  expect(await left()).toEqual(['v14', 'v16', 'v18']);
  const [beyond] = await cluster.admin.deleteRecords([{ topic: 't', partition: 0, before: 11 }]);
  expect(beyond).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 });
});

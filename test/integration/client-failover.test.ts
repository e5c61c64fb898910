/** Producer and consumer at work while the leader of their partition is killed, over gRPC. */
import { expect, test } from 'vitest';
import { startCluster } from '../../src/testing/index.ts';

const SENDERS = 4;
const RECORDS_PER_SEND = 20;

test('a producer and a consumer go on through the death of a leader, and nothing is lost or doubled', async () => {
  await using cluster = await startCluster({ controllers: 3, brokers: 3 });
  const configs = { 'min.insync.replicas': '2' };
  await cluster.admin.createTopic('orders', { partitions: 3, replicationFactor: 3, configs });
  const producer = cluster.producer();
  const consumer = cluster.client.consumer({ topic: 'orders', from: 'beginning' });
  const live: string[] = [];
  const reading = (async () => {
    for await (const { records } of consumer.batches())
      live.push(...records.map(({ value }) => String(value)));
  })();

  const acknowledged: string[] = [];
  let sent = 0;
  let done = false;
  const sending = Array.from({ length: SENDERS }, async () => {
    while (!done) {
      const values = Array.from({ length: RECORDS_PER_SEND }, () => `${sent++}`);
      await producer.send(
        'orders',
        values.map((value) => ({ key: value, value })),
      );
      acknowledged.push(...values);
    }
  });
  const reach = (count: number) =>
    cluster.until(`${count} records`, async () => (acknowledged.length >= count ? true : undefined));

  await reach(500);
  await cluster.kill(await cluster.leaderOf('orders', 0));
  await reach(acknowledged.length + 1000);
  done = true;
  await Promise.all(sending);

  await cluster.until('the consumer', async () => (live.length >= acknowledged.length ? true : undefined));
  await consumer.close();
  await reading;
  const expected = acknowledged.toSorted();
  expect(live.toSorted()).toEqual(expected);
  expect((await cluster.readAll('orders')).map(({ value }) => String(value)).toSorted()).toEqual(expected);
});

test('a batch that was compressed comes back as it was sent', async () => {
  await using cluster = await startCluster({ controllers: 1, brokers: 1 });
  await cluster.admin.createTopic('orders');
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    await using producer = cluster.producer({ compression });
    const text = `${compression} `.repeat(1000);
    await producer.send('orders', [{ key: compression, value: text, headers: { codec: compression } }]);
  }
  const read = await cluster.readAll('orders');
  expect(read.map(({ value }) => String(value).slice(0, 4))).toEqual(['gzip', 'snap', 'lz4 ', 'zstd']);
  expect(read.every(({ headers, key }) => headers[0]?.value?.equals(key ?? Buffer.alloc(0)))).toBe(true);
});

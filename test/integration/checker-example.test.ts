/** The example of docs/testing/checker.md: what stands between the markers is what stands there. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  checkHistory,
  encodeValue,
  HistoryRecorder,
  readValue,
  startCluster,
} from '../../src/testing/index.ts';

it('no record is lost, doubled or out of order when its leader is killed', async () => {
  // example
  await using cluster = await startCluster({ brokers: 3 });
  const configs = { 'min.insync.replicas': '2' };
  await cluster.admin.createTopic('orders', { partitions: 1, replicationFactor: 3, configs });

  const recorder = new HistoryRecorder(() => performance.now());
  const producer = cluster.producer();
  const sends = Array.from({ length: 200 }, async (_, number) => {
    const value = `order-${number}`;
    const send = { f: 'send', topic: 'orders', partition: 0, values: [value], producer: 'p1' } as const;
    const pending = recorder.invoke('p1', send);
    try {
      const placed = await producer.send('orders', [{ partition: 0, value: encodeValue(value, 500) }]);
      pending.ok({ placed });
    } catch (error) {
      pending.caught(error);
    }
  });

  const leader = await cluster.leaderOf('orders', 0);
  recorder.note('nemesis', { f: 'fault', fault: 'kill', nodes: [leader] });
  await cluster.kill(leader);
  await cluster.start(leader);
  await Promise.all(sends);

  recorder.note('nemesis', { f: 'mark', mark: 'final' });
  const consumer = cluster.client.consumer({ topic: 'orders', from: 'beginning', offsetReset: 'none' });
  const asking = recorder.invoke('reader', { f: 'ends', partitions: [{ topic: 'orders', partition: 0 }] });
  const ends = await consumer.endOffsets();
  asking.ok({ partitions: ends.map(({ topic, partition, offset: end }) => ({ topic, partition, end })) });
  const positions = [{ topic: 'orders', partition: 0, from: 'beginning' }] as const;
  recorder.note('reader', { f: 'assign', positions });
  for await (const { topic, partition, records } of consumer.batchesUntilEnd()) {
    const read = records.map(({ offset, value }) => [offset, readValue(value)] as const);
    recorder.invoke('reader', { f: 'poll' }).ok({ polled: [{ topic, partition, records: read }] });
  }

  const { valid, findings, counters } = checkHistory(recorder.events, {
    topics: { orders: { minInsyncReplicas: 2 } },
    required: ['acked', 'polled-finally', 'fault:kill'],
  });
  // end of example
  expect(findings).toEqual([]);
  expect(valid).toBe(true);
  expect(counters).toMatchObject({ acked: 200, 'polled-finally': 200 });
});

it('the page shows this example', () => {
  const own = readFileSync(new URL(import.meta.url), 'utf8');
  const page = readFileSync(new URL('../../docs/testing/checker.md', import.meta.url), 'utf8');
  const [, code = ''] = /\n {2}\/\/ example\n(.*?) {2}\/\/ end of example/s.exec(own) ?? [];
  const [, shown = ''] = /```ts\n(.*?)```\n<!-- end of example/s.exec(page) ?? [];
  expect(shown.trim()).toBe(code.replaceAll(/^ {2}/gm, '').trim());
});

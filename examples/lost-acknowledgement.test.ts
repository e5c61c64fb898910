/** The broker stores a record and its answer is lost: the producer sends again, and the record is stored once. */
import { startCluster } from 'quorate/testing';
import { expect, it } from 'vitest';

it('a record whose acknowledgement is lost is stored once', async () => {
  await using cluster = await startCluster({ controllers: 1, brokers: 1 });
  await cluster.admin.createTopic('payments', { partitions: 1, replicationFactor: 1 });
  const producer = cluster.producer();
  await producer.send('payments', { value: 'first' });

  const lost = cluster.dropNext({ method: 'broker.produceStream', message: 'reply', from: 'clients' });
  await producer.send('payments', { value: 'second' });
  await lost.dropped;

  const values = (await cluster.readAll('payments')).map((record) => record.value?.toString());
  expect(values).toEqual(['first', 'second']);
});

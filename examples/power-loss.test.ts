/** The power of the whole cluster fails while records are sent: each that was acknowledged is there afterwards. */
import { startCluster } from 'quorate/testing';
import { expect, it } from 'vitest';

it('what was acknowledged survives the loss of power everywhere', async () => {
  await using cluster = await startCluster({ controllers: 3, brokers: 3 });
  const configs = { 'min.insync.replicas': '2' };
  await cluster.admin.createTopic('ledger', { partitions: 1, replicationFactor: 3, configs });
  const producer = cluster.producer();
  const acknowledged = new Set<string>();
  const sends = Array.from({ length: 100 }, async (_, number) => {
    const value = `entry-${number}`;
    await producer.send('ledger', { value });
    acknowledged.add(value);
  });

  await cluster.until('the first acknowledgement', async () => acknowledged.size > 0 || undefined);
  const nodes = [...cluster.controllers, ...cluster.brokers];
  await cluster.loseUnsynced(...nodes);
  const survivors = new Set(acknowledged);
  await Promise.all(nodes.map((id) => cluster.start(id)));

  await Promise.all(sends);
  const values = (await cluster.readAll('ledger')).map((record) => record.value?.toString());
  expect([...survivors].every((value) => values.includes(value))).toBe(true);
  expect(values.toSorted()).toEqual([...acknowledged].toSorted());
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';
import { quorate } from './cli/command.ts';

let cluster: TestCluster;

beforeAll(async () => {
  const settings = { 'log.cleaner.backoff.ms': '20' };
  cluster = await startCluster({ controllers: 1, brokers: 3, settings });
});

afterAll(() => cluster?.close());

async function table(topic: string): Promise<{ records: number; values: Record<string, string> }> {
  const records = await cluster.readAll(topic);
  const values = new Map<string, string>();
  for (const { key, value } of records)
    if (value === null) values.delete(String(key));
    else values.set(String(key), value.toString());
  return { records: records.length, values: Object.fromEntries(values) };
}

test('a topic made with cleanup.policy=compact keeps the last value of each key, whoever leads it', async () => {
  const configs = ['cleanup.policy=compact', 'segment.bytes=1000', 'min.cleanable.dirty.ratio=0.1'];
  const create = ['topics', 'create', 'table', '--partitions', '1', '--replication-factor', '3'];
  for (const config of configs) create.push('--config', config);
  expect(await quorate(create, { bootstrap: cluster.bootstrap })).toMatchObject({ code: 0 });

  const producer = cluster.producer();
  const expected: Record<string, string> = {};
  for (let i = 0; i < 400; i++) {
    const key = `k${i % 7}`;
    const value = i % 50 === 49 ? null : `v${i}`;
    if (value === null) delete expected[key];
    else expected[key] = value;
    await producer.send('table', { key, value });
  }
  const compacted = await cluster.until('a compacted log', async () => {
    const now = await table('table');
    return now.records < 60 ? now : undefined;
  });
  expect(compacted.values).toEqual(expected);

  // Each broker leads in turn, and follows what another compacted.
  for (const id of cluster.brokers) {
    await cluster.kill(id);
    await cluster.start(id);
    expect((await table('table')).values).toEqual(expected);
  }
});

test('a record without a key is refused by a compacted topic, with words that help', async () => {
  const configs = { 'cleanup.policy': 'compact' };
  await cluster.admin.createTopic('keyed', { partitions: 1, replicationFactor: 1, configs });
  const producer = cluster.producer();
  await expect(producer.send('keyed', { value: 'x' })).rejects.toMatchObject({
    code: 'INVALID_RECORD',
    message: expect.stringMatching(/record 0 has no key, and the topic is compacted by key/),
  });
  await producer.send('keyed', { key: 'a', value: 'x' });

  await cluster.admin.alterTopicConfigs('keyed', { 'cleanup.policy': 'delete' });
  await cluster.until('a topic that takes it', async () => {
    try {
      return await producer.send('keyed', { value: 'x' });
    } catch {
      return undefined;
    }
  });
});

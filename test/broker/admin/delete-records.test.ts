import { afterEach, describe, expect, it } from 'vitest';
import { DELETE_RECORDS_PARTITIONS_MAX } from '../../../src/broker/admin/delete-records.ts';
import { TestCluster } from '../cluster-fixture.ts';
import { produceRequest } from '../fixture.ts';

let cluster: TestCluster;

/** Three brokers, and topic t whose partition i is led by broker i + 1, with ten records in each. */
async function start(properties: Record<string, string> = {}): Promise<void> {
  cluster = await new TestCluster({ controllers: 1, brokers: 3, properties }).start();
  const { admin, broker } = cluster.client(1);
  const assignments = [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ];
  const topic = { name: 't', partitions: -1, replicationFactor: -1, assignments, configs: {} };
  const call = { timeoutMs: 6_000 };
  await cluster.run(admin.createTopics({ topics: [topic], validateOnly: false, timeoutMs: 5_000 }, call));
  const records = Array.from({ length: 10 }, (_, i) => ({ value: Buffer.from(`v${i}`), headers: [] }));
  const plain = [0, 1, 2].map((partition) => ({ topic: 't', partition, records }));
  const produced = await cluster.run(broker.produce(produceRequest({ plain, timeoutMs: 5_000 }), call));
  expect(produced.partitions.map(({ error }) => error)).toEqual(['NONE', 'NONE', 'NONE']);
}

type Asked = readonly (readonly [topic: string, partition: number, beforeOffset: number])[];

async function remove(at: number, asked: Asked, timeoutMs = 5_000) {
  const partitions = asked.map(([topic, partition, beforeOffset]) => ({ topic, partition, beforeOffset }));
  const request = { partitions, timeoutMs };
  const { admin } = cluster.client(at);
  return (await cluster.run(admin.deleteRecords(request, { timeoutMs: timeoutMs + 3_000 }))).partitions;
}

afterEach(() => {
  expect(cluster.fatals()).toEqual([]);
});

describe('deleting records at any broker', () => {
  it('reaches the leader of each partition, and the replies keep the order of the request', async () => {
    await start();
    const replies = await remove(2, [
      ['t', 2, 3],
      ['t', 0, 5],
      ['t', 1, -1],
    ]);
    expect(replies.map(({ partition, error, lowWatermark }) => [partition, error, lowWatermark])).toEqual([
      [2, 'NONE', 3],
      [0, 'NONE', 5],
      [1, 'NONE', 10],
    ]);
  });

  it('shows in the earliest offset, and a fetch below it is out of range', async () => {
    await start();
    await remove(3, [['t', 0, 5]]);
    const { broker } = cluster.client(2);
    const earliest = { topic: 't', partition: 0, timestampMs: -2, currentLeaderEpoch: -1 };
    const isolation = 'read_uncommitted' as const;
    const listing = broker.listOffsets(
      { isolation, partitions: [earliest], forwarded: false },
      { timeoutMs: 3_000 },
    );
    expect((await cluster.run(listing)).partitions[0]?.offset).toBe(5);
    const partitions = [{ topic: 't', partition: 0, fetchOffset: 4, currentLeaderEpoch: -1, maxBytes: 1e6 }];
    const bounds = { correlationId: 1, clientId: 't', maxWaitMs: 0, minBytes: 1, maxBytes: 1e6 };
    const fetching = broker.fetch(
      { ...bounds, isolation, partitions, plain: true, forwarded: false },
      { timeoutMs: 3_000 },
    );
    expect((await cluster.run(fetching)).partitions[0]?.error).toBe('OFFSET_OUT_OF_RANGE');
  });

  it('succeeds for one partition while it is refused for another', async () => {
    await start();
    const replies = await remove(1, [
      ['none', 0, 1],
      ['t', 7, 1],
      ['t', 1, 99],
      ['t', 1, 1],
    ]);
    expect(replies.map(({ error, lowWatermark }) => [error, lowWatermark])).toEqual([
      ['UNKNOWN_TOPIC_OR_PARTITION', -1],
      ['UNKNOWN_TOPIC_OR_PARTITION', -1],
      ['OFFSET_OUT_OF_RANGE', -1],
      ['NONE', 1],
    ]);
    expect(replies[2]?.errorMessage).toContain('high watermark 10');
  });

  it('names the leader when another broker passed it to the wrong one', async () => {
    await start();
    const partitions = [{ topic: 't', partition: 1, beforeOffset: 3 }];
    const { replica } = cluster.network.transport('node2').connect({ host: 'node3', port: 9093 });
    const asking = replica.deleteRecords({ partitions, timeoutMs: 1_000 }, { timeoutMs: 3_000 });
    expect((await cluster.run(asking)).partitions).toMatchObject([
      { error: 'NOT_LEADER_OR_FOLLOWER', lowWatermark: -1, currentLeader: { nodeId: 2 } },
    ]);
  });

  it('of too many partitions at once is refused as a whole', async () => {
    await start();
    const asked = Array.from({ length: DELETE_RECORDS_PARTITIONS_MAX + 1 }, () => ['t', 0, 1] as const);
    await expect(remove(1, asked)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { batches } from '../../src/log/record/index.ts';
import type { CreatableTopic, PlainProduce } from '../../src/rpc/api/index.ts';
import { type ClusterOptions, TestCluster } from './cluster-fixture.ts';
import { produceRequest } from './fixture.ts';

let cluster: TestCluster;

async function start(options: Partial<ClusterOptions> = {}): Promise<TestCluster> {
  cluster = await new TestCluster({ controllers: 1, brokers: 3, ...options }).start();
  return cluster;
}

afterEach(() => {
  expect(cluster.fatals()).toEqual([]);
});

const topic = (name: string, fields: Partial<CreatableTopic> = {}): CreatableTopic => ({
  name,
  partitions: 3,
  replicationFactor: 3,
  assignments: [],
  configs: {},
  ...fields,
});

async function create(at: number, ...topics: CreatableTopic[]): Promise<void> {
  const request = { topics, validateOnly: false, timeoutMs: 5_000 };
  const reply = await cluster.run(cluster.client(at).admin.createTopics(request, { timeoutMs: 6_000 }));
  expect(reply.topics.map(({ error }) => error)).toEqual(topics.map(() => 'NONE'));
}

async function produce(at: number, plain: readonly PlainProduce[]) {
  const request = produceRequest({ plain, timeoutMs: 5_000 });
  return cluster.run(cluster.client(at).broker.produce(request, { timeoutMs: 8_000 }));
}

const values = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ value: Buffer.from(`v${from + i}`), headers: [] }));

async function readAll(at: number, name: string, partition: number): Promise<string[]> {
  const partitions = [
    { topic: name, partition, fetchOffset: 0, currentLeaderEpoch: -1, maxBytes: 1_000_000 },
  ];
  const request = {
    correlationId: 1,
    clientId: 't',
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000_000,
    partitions,
  };
  const flags = { isolation: 'read_uncommitted', plain: true, forwarded: false } as const;
  const reply = await cluster.run(
    cluster.client(at).broker.fetch({ ...request, ...flags }, { timeoutMs: 5_000 }),
  );
  expect(reply.partitions[0]?.error).toBe('NONE');
  return (reply.partitions[0]?.records ?? []).map(({ value }) => Buffer.from(value ?? '').toString());
}

describe('a cluster', () => {
  it('has its brokers unfenced within a few round trips of their start', async () => {
    await start({ brokers: 0, delayMs: 1 });
    const before = cluster.scheduler.nowMs;
    const { broker } = await cluster.run(cluster.startBroker(1));
    await cluster.run(broker.ready);
    expect(cluster.scheduler.nowMs - before).toBeLessThan(60);
  });

  it('takes records at any broker as soon as createTopics has answered, and gives them back at any', async () => {
    await start();
    await create(2, topic('t'));
    for (const partition of [0, 1, 2]) {
      const reply = await produce(1, [{ topic: 't', partition, records: values(5) }]);
      expect(reply.partitions).toMatchObject([{ error: 'NONE', baseOffset: 0, synced: true }]);
      expect([...(reply.partitions[0]?.replicas ?? [])].sort()).toEqual([1, 2, 3]);
    }
    for (const at of [1, 2, 3]) expect(await readAll(at, 't', 1)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
  });

  it('answers a fetch that waits at a broker which leads nothing of it', async () => {
    await start();
    await create(1, topic('t', { partitions: 1 }));
    const metadata = await cluster.run(
      cluster.client(1).broker.metadata({ topics: ['t'] }, { timeoutMs: 1_000 }),
    );
    const leader = metadata.topics[0]?.partitions[0]?.leaderId ?? -1;
    const other = leader === 1 ? 2 : 1;
    const partitions = [
      { topic: 't', partition: 0, fetchOffset: 0, currentLeaderEpoch: -1, maxBytes: 1_000 },
    ];
    const fetch = cluster.client(other).broker.fetch(
      {
        correlationId: 1,
        clientId: 't',
        maxWaitMs: 10_000,
        minBytes: 1,
        maxBytes: 1_000,
        isolation: 'read_uncommitted',
        partitions,
        plain: false,
        forwarded: false,
      },
      { timeoutMs: 20_000 },
    );
    await cluster.scheduler.run(100);
    await produce(3, [{ topic: 't', records: values(1) }]);
    const before = cluster.scheduler.nowMs;
    const reply = await cluster.run(fetch);
    expect(cluster.scheduler.nowMs - before).toBeLessThan(100);
    expect(
      reply.partitions.map(({ batches: got }) => got.flatMap((one) => [...batches(one)]).length),
    ).toEqual([1]);
  });

  it('goes on after the death of a leader, and loses nothing that was acknowledged', async () => {
    await start({ properties: { 'min.insync.replicas': '2' } });
    await create(1, topic('t', { partitions: 1 }));
    await produce(1, [{ topic: 't', records: values(10) }]);
    const leader = await leaderOf('t');
    cluster.kill(leader);
    const alive = [1, 2, 3].find((id) => id !== leader) ?? 1;
    const before = cluster.scheduler.nowMs;
    for (;;) {
      const { partitions } = await produce(alive, [{ topic: 't', records: values(1, 10) }]);
      if (partitions[0]?.error === 'NONE') break;
      await cluster.scheduler.run(50);
      expect(cluster.scheduler.nowMs - before).toBeLessThan(5_000);
    }
    const found = await readAll(alive, 't', 0);
    expect(found.slice(0, 10)).toEqual(values(10).map(({ value }) => value.toString()));
    expect(found).toContain('v10');

    const { broker } = await cluster.run(cluster.startBroker(leader));
    await cluster.run(broker.ready);
    const back = await cluster.scheduler.runUntil(() => isrOf('t').length === 3, 20_000);
    expect(back).toBe(true);
    expect(await readAll(leader, 't', 0)).toEqual(found);
  });

  it('moves leaders away before a broker stops, so that nobody waits', async () => {
    await start();
    await create(1, topic('t'));
    await cluster.run(cluster.stopBroker(2, true));
    const metadata = await cluster.run(
      cluster.client(1).broker.metadata({ topics: ['t'] }, { timeoutMs: 1_000 }),
    );
    for (const { error, leaderId, isr } of metadata.topics[0]?.partitions ?? []) {
      expect(error).toBe('NONE');
      expect([leaderId, ...isr]).not.toContain(2);
    }
    for (const partition of [0, 1, 2]) {
      const reply = await produce(3, [{ topic: 't', partition, records: values(1) }]);
      expect(reply.partitions[0]?.error).toBe('NONE');
    }
  });

  it('goes on taking records and producers while no controller runs, and says why topics cannot be made', async () => {
    await start();
    await create(1, topic('t', { partitions: 1 }));
    cluster.kill(100);
    await cluster.scheduler.run(5_000);
    const { partitions } = await produce(1, [{ topic: 't', records: values(3) }]);
    expect(partitions[0]?.error).toBe('NONE');
    await cluster.run(cluster.client(2).broker.initProducerId({ clientId: 'c' }, { timeoutMs: 1_000 }));
    const request = { topics: [topic('u')], validateOnly: false, timeoutMs: 2_000 };
    const before = cluster.scheduler.nowMs;
    const refused = cluster.client(1).admin.createTopics(request, { timeoutMs: 3_000 });
    await expect(cluster.run(refused)).rejects.toThrow(
      'no active controller: the quorum of 1 has 0 voters reachable',
    );
    expect(cluster.scheduler.nowMs - before).toBeLessThanOrEqual(2_500);
    const unknown = cluster.client(1).admin.describeQuorum({}, { timeoutMs: 5_000 });
    await expect(cluster.run(unknown)).rejects.toThrow('no active controller');
    await cluster.startController(100);
    await create(1, topic('v'));
  });

  it('changes its controller under the brokers without anybody being fenced', async () => {
    await start({ controllers: 3 });
    await create(1, topic('t', { partitions: 1 }));
    cluster.kill(cluster.activeController() ?? 0);
    await cluster.scheduler.runUntil(() => cluster.activeController() !== undefined, 20_000);
    await create(2, topic('u'));
    await cluster.scheduler.run(10_000);
    const described = await cluster.run(cluster.client(3).admin.describeCluster({}, { timeoutMs: 1_000 }));
    expect(described.brokers.map(({ nodeId, fenced }) => [nodeId, fenced])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect(described.controllerId).toBe(cluster.activeController());
  });

  it('gives every broker the same metadata, byte for byte', async () => {
    await start();
    await create(1, topic('t'), topic('u'));
    await cluster.scheduler.runUntil(() => new Set(offsets()).size === 1, 5_000);
    const digests = [1, 2, 3].map((id) => cluster.get(id).broker.replica.imageDigest({}, noCall));
    const replies = await Promise.all(digests);
    expect(new Set(replies.map(({ offset, digest }) => `${offset} ${digest}`)).size).toBe(1);
  });

  it('gives a deleted topic no more than its name', async () => {
    await start();
    await create(1, topic('t'));
    const request = { topics: [{ name: 't' }, { name: 'missing' }], timeoutMs: 5_000 };
    const reply = await cluster.run(cluster.client(3).admin.deleteTopics(request, { timeoutMs: 6_000 }));
    expect(reply.topics.map(({ error }) => error)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION']);
    const { partitions } = await produce(2, [{ topic: 't', partition: 0, records: values(1) }]);
    expect(partitions[0]?.error).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('applies a change of configuration to running logs, and shows where values come from', async () => {
    await start();
    await create(1, topic('t', { partitions: 1, configs: { 'max.message.bytes': '200' } }));
    const big = [{ topic: 't', records: [{ value: Buffer.alloc(500), headers: [] }] }];
    expect((await produce(1, big)).partitions[0]?.error).toBe('MESSAGE_TOO_LARGE');
    const operations = [{ kind: 'set', name: 'max.message.bytes', value: '10000' }] as const;
    const changes = [{ type: 'topic', name: 't', operations }] as const;
    await cluster.run(
      cluster.client(2).admin.alterConfigs({ changes, validateOnly: false }, { timeoutMs: 5_000 }),
    );
    await cluster.scheduler.run(100);
    expect((await produce(1, big)).partitions[0]?.error).toBe('NONE');
    const asked = { resources: [{ type: 'topic', name: 't' }] } as const;
    const { resources } = await cluster.run(
      cluster.client(3).admin.describeConfigs(asked, { timeoutMs: 1_000 }),
    );
    const entry = resources[0]?.entries.find(({ name }) => name === 'max.message.bytes');
    expect(entry).toEqual({ name: 'max.message.bytes', value: '10000', source: 'topic' });
  });

  it('lists offsets wherever it is asked', async () => {
    await start();
    await create(1, topic('t'));
    for (const partition of [0, 1, 2])
      await produce(1, [{ topic: 't', partition, records: values(partition + 1) }]);
    const partitions = [0, 1, 2].map((partition) => ({
      topic: 't',
      partition,
      timestampMs: -1,
      currentLeaderEpoch: -1,
    }));
    const request = { isolation: 'read_uncommitted', partitions, forwarded: false } as const;
    const reply = await cluster.run(cluster.client(2).broker.listOffsets(request, { timeoutMs: 1_000 }));
    expect(reply.partitions.map(({ error, offset }) => [error, offset])).toEqual([
      ['NONE', 1],
      ['NONE', 2],
      ['NONE', 3],
    ]);
  });

  it('gives every producer its own id, whichever broker is asked', async () => {
    await start();
    const asked = Array.from({ length: 30 }, (_, i) =>
      cluster.client(1 + (i % 3)).broker.initProducerId({ clientId: 'c' }, { timeoutMs: 5_000 }),
    );
    const ids = (await cluster.run(Promise.all(asked))).map(({ producerId }) => producerId);
    expect(new Set(ids).size).toBe(30);
  });
});

const noCall = { peer: 'test', signal: new AbortController().signal };

function offsets(): number[] {
  return [...cluster.brokers.values()].map(({ broker }) => broker.status().metadataOffset);
}

async function leaderOf(name: string): Promise<number> {
  const call = { timeoutMs: 1_000 };
  const metadata = await cluster.run(cluster.client(1).broker.metadata({ topics: [name] }, call));
  return metadata.topics[0]?.partitions[0]?.leaderId ?? -1;
}

let lastIsr: readonly number[] = [];
function isrOf(name: string): readonly number[] {
  const id = [...cluster.brokers.keys()][0] ?? 1;
  cluster
    .get(id)
    .broker.broker.metadata({ topics: [name] }, noCall)
    .then((reply) => {
      lastIsr = reply.topics[0]?.partitions[0]?.isr ?? [];
    });
  return lastIsr;
}

import { describe, expect, it } from 'vitest';
import { clientWorld, rejection } from '../client-world.ts';

const records = (count: number, prefix = 'r') =>
  Array.from({ length: count }, (_, i) => ({ value: `${prefix}${i}` }));

describe('producer', () => {
  it('acknowledges a record with where it is and what that stands for', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const ack = await finish(client.producer().send('orders', { key: 'a', value: '1' }));
    expect(ack).toMatchObject({
      topic: 'orders',
      partition: 0,
      offset: 0,
      count: 1,
      replicas: [0, 1, 2],
      synced: true,
    });
    expect(cluster.partition('orders').values()).toEqual(['1']);
  });

  it('sends records that are given in one go as one batch', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const acks = await finish(client.producer().send('orders', records(100)));
    expect(acks).toHaveLength(1);
    expect(acks[0]).toMatchObject({ offset: 0, count: 100 });
    expect(cluster.partition('orders').log).toHaveLength(1);
  });

  it('puts equal keys into the partition every Kafka client would choose', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders', 10);
    // Utils.murmur2("foobar") = -790332482, toPositive % 10 = 6
    const ack = await finish(client.producer().send('orders', { key: 'foobar', value: 'x' }));
    expect(ack.partition).toBe((-790332482 & 0x7fffffff) % 10);
  });

  it('keeps the order of records and writes each once when a reply is lost with its stream', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer({ batchSize: 1 });
    let frames = 0;
    cluster.faults = () => (++frames === 2 ? { cut: 'after' } : {});
    const sends = [];
    for (let i = 0; i < 10; i++) {
      sends.push(producer.send('orders', { value: `${i}` }));
      await finish(Promise.resolve());
    }
    const acks = await finish(Promise.all(sends));
    expect(cluster.partition('orders').values()).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
    expect(acks.map((ack) => ack.offset)).toEqual(Array.from({ length: 10 }, (_, i) => i));
  });

  it('follows the leader that a refusal names without asking for metadata', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer();
    await finish(producer.send('orders', { value: 'a' }));
    const asked = cluster.metadataCalls;
    cluster.moveLeader('orders', 0, 2);
    await finish(producer.send('orders', { value: 'b' }));
    expect(cluster.metadataCalls).toBe(asked);
    expect(cluster.partition('orders').values()).toEqual(['a', 'b']);
  });

  it('finds the new leader of a killed broker within a fifth more than the election took', async () => {
    const { client, cluster, finish, environment } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer();
    await finish(producer.send('orders', { value: 'a' }));
    const killedMs = environment.scheduler.nowMs;
    cluster.kill(0);
    environment.timers.after(1000, () => cluster.moveLeader('orders', 0, 1));
    await finish(producer.send('orders', { value: 'b' }));
    expect(environment.scheduler.nowMs - killedMs).toBeLessThan(1350);
    expect(cluster.partition('orders').values()).toEqual(['a', 'b']);
  });

  it('moves batches away from a broker that is silent once another leads', async () => {
    const { client, cluster, finish, environment } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer();
    await finish(producer.send('orders', { value: 'a' }));
    cluster.frozen.add(0);
    environment.timers.after(3000, () => cluster.moveLeader('orders', 0, 1));
    await finish(producer.send('orders', { value: 'b' }));
    expect(environment.scheduler.nowMs).toBeLessThan(8000);
    expect(cluster.partition('orders').values()).toEqual(['a', 'b']);
  });

  it('never changes its epoch on an error that says nothing, and writes the records once', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    let frames = 0;
    cluster.faults = () => (++frames <= 3 ? { refuse: 'UNKNOWN_SERVER_ERROR', appendFirst: true } : {});
    const producer = client.producer();
    const acks = await finish(
      Promise.all([producer.send('orders', records(5)), producer.send('orders', records(5, 's'))]),
    );
    expect(acks.flat().reduce((sum, ack) => sum + ack.count, 0)).toBe(10);
    const partition = cluster.partition('orders');
    expect(partition.values()).toHaveLength(10);
    expect([...partition.producers.values()].map(({ epoch }) => epoch)).toEqual([0]);
  });

  it('goes on under a new epoch when the cluster lost what it knew of the producer', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer();
    await finish(producer.send('orders', { value: 'a' }));
    cluster.partition('orders').producers.clear();
    await finish(producer.send('orders', { value: 'b' }));
    expect(cluster.partition('orders').values()).toEqual(['a', 'b']);
    expect([...cluster.partition('orders').producers.values()].map(({ epoch }) => epoch)).toEqual([1]);
  });

  it('does not send a batch in doubt under another epoch: it says that it does not know', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer();
    await finish(producer.send('orders', { value: 'a' }));
    let frames = 0;
    cluster.faults = () => {
      if (++frames === 1) return { cut: 'after' };
      // The copy was written, then the broker forgot who wrote it: a client cannot know.
      cluster.partition('orders').producers.clear();
      return {};
    };
    const error = await finish(rejection(producer.send('orders', { value: 'b' })));
    expect(error.definite).toBe(false);
    expect(error.message).toContain('may or may not have been written');
    cluster.faults = () => ({});
    await finish(producer.send('orders', { value: 'c' }));
    expect(cluster.partition('orders').values()).toEqual(['a', 'b', 'c']);
  });

  it('splits a batch that the topic finds too large, keeping order', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    cluster.partition('orders').maxBatchBytes = 400;
    const acks = await finish(client.producer().send('orders', records(100)));
    expect(cluster.partition('orders').values()).toEqual(records(100).map(({ value }) => value));
    expect(acks.reduce((sum, ack) => sum + ack.count, 0)).toBe(100);
  });

  it('says that nothing was written when a partition has no leader until the delivery timeout', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    cluster.partition('orders').leaderId = -1;
    const error = await finish(
      rejection(client.producer({ deliveryTimeoutMs: 5000 }).send('orders', { value: 'a' })),
    );
    expect(error).toMatchObject({ code: 'LEADER_NOT_AVAILABLE', definite: true });
    expect(error.message).toContain('1 record for orders-0 was not written');
  });

  it('says that a record may have been written when no answer came until the delivery timeout', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    cluster.faults = () => ({ silent: true });
    const producer = client.producer({ deliveryTimeoutMs: 5000, requestTimeoutMs: 2000 });
    const error = await finish(rejection(producer.send('orders', { value: 'a' })));
    expect(error.definite).toBe(false);
    expect(error.message).toContain('may or may not have been written');
    cluster.faults = () => ({});
    await finish(producer.send('orders', { value: 'b' }));
    expect(cluster.partition('orders').values()).toEqual(['a', 'b']);
  });

  it('names a refusal that lasts until the delivery timeout', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    cluster.faults = () => ({ refuse: 'NOT_ENOUGH_REPLICAS' });
    const error = await finish(
      rejection(client.producer({ deliveryTimeoutMs: 5000 }).send('orders', { value: 'a' })),
    );
    expect(error).toMatchObject({ code: 'NOT_ENOUGH_REPLICAS', definite: true });
  });

  it('is patient anew with a new leader, however long the old one refused', async () => {
    const { client, cluster, finish, run, environment } = clientWorld();
    cluster.createTopic('orders');
    const { leaderId } = cluster.partition('orders');
    const other = (leaderId + 1) % 3;
    const atOtherMs: number[] = [];
    cluster.faults = (_, nodeId) => {
      if (nodeId === other) atOtherMs.push(environment.scheduler.nowMs);
      const leads = cluster.partition('orders').leaderId === leaderId;
      return leads || atOtherMs.length === 1 ? { refuse: 'NOT_ENOUGH_REPLICAS' } : {};
    };
    const sent = client.producer().send('orders', { value: 'a' });
    await run(10_000);
    cluster.moveLeader('orders', 0, other);
    await finish(sent);
    const [first = 0, second = 0] = atOtherMs;
    expect(second - first).toBeGreaterThan(50);
    expect(second - first).toBeLessThan(200);
  });

  it('refuses a topic that no broker knows within about a second', async () => {
    const { client, finish, environment } = clientWorld();
    const error = await finish(rejection(client.producer().send('nothing', { value: 'a' })));
    expect(error.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    expect(error.message).toContain('nothing');
    expect(environment.scheduler.nowMs).toBeLessThan(2500);
  });

  it('waits for room in the buffer, in order, and never holds much more than bufferMemory', async () => {
    const { client, cluster, finish, run } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer({ bufferMemory: 1000, maxInFlight: 1 });
    const value = 'x'.repeat(300);
    const sends = Array.from({ length: 20 }, (_, i) =>
      producer.send('orders', { key: `${i}`, value: `${i}${value}` }),
    );
    await run(0.15);
    await finish(Promise.all(sends));
    expect(cluster.partition('orders').values()).toEqual(
      Array.from({ length: 20 }, (_, i) => `${i}${value}`),
    );
    for (const request of cluster.produced) expect(request.partitions[0]?.batch.length).toBeLessThan(1500);
  });

  it('refuses a send that finds no room within maxBlockMs', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    cluster.faults = () => ({ silent: true });
    const producer = client.producer({ bufferMemory: 100, maxBlockMs: 1000 });
    producer.send('orders', { value: 'x'.repeat(200) }).catch(() => {});
    const error = await finish(rejection(producer.send('orders', { value: 'y' })));
    expect(error.code).toBe('RESOURCE_EXHAUSTED');
  });

  it('refuses only the record that is too large', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer({ maxRequestSize: 1000 });
    const error = await finish(
      rejection(producer.send('orders', [{ value: 'a' }, { value: 'x'.repeat(2000) }, { value: 'b' }])),
    );
    expect(error.code).toBe('MESSAGE_TOO_LARGE');
    expect(cluster.partition('orders').values()).toEqual(['a', 'b']);
  });

  it('with acks 0 is done when the records are handed over', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const ack = await finish(client.producer({ acks: 0 }).send('orders', { value: 'a' }));
    expect(ack.offset).toBe(-1);
  });

  it('without idempotence keeps the order by having one batch of a partition in flight', async () => {
    const { client, cluster, finish, run } = clientWorld();
    cluster.createTopic('orders');
    let frames = 0;
    cluster.faults = () => (++frames % 2 === 1 ? { refuse: 'NOT_ENOUGH_REPLICAS' } : {});
    const producer = client.producer({ acks: 1 });
    const sends = [];
    for (let i = 0; i < 10; i++) {
      sends.push(producer.send('orders', { value: `${i}` }));
      await run(0.05);
    }
    await finish(Promise.all(sends));
    expect(cluster.partition('orders').values()).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  });

  it('lingers for more records, but not in a flush', async () => {
    const { client, cluster, finish, environment } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer({ lingerMs: 50 });
    await finish(producer.send('orders', { value: 'a' }));
    const startMs = environment.scheduler.nowMs;
    expect(startMs).toBeGreaterThan(50);
    const sends = [producer.send('orders', { value: 'b' }), producer.send('orders', { value: 'c' })];
    await finish(producer.flush());
    await Promise.all(sends);
    expect(environment.scheduler.nowMs - startMs).toBeLessThan(10);
    expect(cluster.partition('orders').log).toHaveLength(2);
  });

  it('flushes when it is closed, and takes nothing afterwards', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    const producer = client.producer({ lingerMs: 10_000 });
    const send = producer.send('orders', { value: 'a' });
    await finish(producer.close());
    expect((await send).offset).toBe(0);
    expect((await rejection(producer.send('orders', { value: 'b' }))).message).toContain('closed');
  });

  it('gives up what a bounded close cannot flush', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('orders');
    cluster.faults = () => ({ silent: true });
    const producer = client.producer();
    const lost = rejection(producer.send('orders', { value: 'a' }));
    await finish(producer.close({ timeoutMs: 500 }));
    expect((await lost).message).toContain('may or may not have been written');
  });

  it('stops waiting when the signal aborts', async () => {
    const { client, cluster, finish, run } = clientWorld();
    cluster.createTopic('orders');
    cluster.faults = () => ({ silent: true });
    const abort = new AbortController();
    const stopped = rejection(client.producer().send('orders', { value: 'a' }, { signal: abort.signal }));
    await run(100);
    abort.abort(new Error('enough'));
    expect((await finish(stopped)).message).toBe('enough');
  });

  it('refuses settings that cannot be', () => {
    const { client } = clientWorld();
    expect(() => client.producer({ acks: 1, idempotence: true })).toThrow(/idempotence needs acks/);
    expect(() => client.producer({ maxInFlight: 6 })).toThrow(/maxInFlight/);
  });
});

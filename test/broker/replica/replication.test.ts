import { describe, expect, it } from 'vitest';
import { batchOf, TestCluster, TOPIC } from './cluster.ts';

describe('replication', () => {
  it('carries records to every replica and acknowledges them when all in sync have them on disk', async () => {
    const cluster = await TestCluster.start();
    const reply = await cluster.finish(cluster.get(1).produce(['a', 'b']));
    expect(reply).toMatchObject({ error: 'NONE', baseOffset: 0, leaderEpoch: 0, synced: true });
    expect([...reply.replicas].sort()).toEqual([1, 2, 3]);
    for (const broker of cluster.brokers) {
      expect(broker.replica().log.flushedOffset).toBe(2);
      expect(await broker.contents()).toEqual(['a', 'b']);
    }
  });

  it('tells followers of the high watermark without waiting for the next records', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['a']));
    expect(await cluster.until(() => cluster.get(2).replica().log.highWatermark === 1, 20)).toBe(true);
    expect(await cluster.until(() => cluster.get(3).replica().log.highWatermark === 1, 20)).toBe(true);
  });

  it('does not acknowledge what a member of the in-sync set has not synced', async () => {
    let syncMs = 0.5;
    const cluster = await TestCluster.start({ diskMs: (operation) => (operation === 'sync' ? syncMs : 0.1) });
    syncMs = 1e9;
    const pending = cluster.get(1).produce(['a'], { timeoutMs: 300 });
    expect((await cluster.finish(pending)).error).toBe('REQUEST_TIMED_OUT');
    expect(cluster.get(2).replica().log.logEndOffset).toBe(1);
    expect(cluster.get(1).replica().log.highWatermark).toBe(0);
  });

  it('acknowledges before syncing when writes are cached', async () => {
    let syncMs = 0.5;
    const cluster = await TestCluster.start({
      diskMs: (operation) => (operation === 'sync' ? syncMs : 0.1),
      configs: { 'write.caching': 'true' },
    });
    await cluster.finish(cluster.get(1).produce(['first']));
    syncMs = 1e9;
    const reply = await cluster.finish(cluster.get(1).produce(['a']));
    expect(reply).toMatchObject({ error: 'NONE', synced: false });
  });

  it('acknowledges with cached writes what every operating system has, so that killed processes lose nothing', async () => {
    let slow = false;
    const cluster = await TestCluster.start({
      brokers: 2,
      diskMs: (operation) => (slow && operation === 'write' ? 20 : 0.1),
      configs: { 'write.caching': 'true', 'min.insync.replicas': '2' },
    });
    await cluster.finish(cluster.get(1).produce(['a']));
    const pending = cluster.get(1).produce(['b']);
    await cluster.until(() => cluster.get(1).replica().log.writtenOffset === 2);
    slow = true;
    expect((await cluster.finish(pending)).error).toBe('NONE');
    expect(cluster.get(2).replica().log.writtenOffset).toBe(2);
  });

  it('acknowledges acks=1 when written and acks=0 at once, without the others', async () => {
    const cluster = await TestCluster.start();
    for (const id of [2, 3]) cluster.get(id).kill();
    const one = await cluster.finish(cluster.get(1).produce(['a'], { acks: 1 }));
    expect(one).toMatchObject({ error: 'NONE', baseOffset: 0, replicas: [1] });
    const none = await cluster.get(1).produce(['b'], { acks: 0 });
    expect(none).toMatchObject({ error: 'NONE', baseOffset: 1, replicas: [] });
    expect(cluster.get(1).replica().log.highWatermark).toBe(0);
  });

  it('carries many partitions over one stream, each with all of its records in order', async () => {
    const assignments = Array.from({ length: 12 }, (_, i) => [(i % 3) + 1, ((i + 1) % 3) + 1]);
    const cluster = await TestCluster.start({ assignments });
    const sent: Promise<{ error: string }>[] = [];
    for (let round = 0; round < 20; round++)
      for (const [partition, [leader = 1]] of assignments.entries())
        sent.push(cluster.get(leader).produce([`p${partition} r${round}`], { partition, timeoutMs: 5000 }));
    const replies = await cluster.finish(Promise.all(sent));
    expect(replies.every(({ error }) => error === 'NONE')).toBe(true);
    for (const [partition, replicas] of assignments.entries())
      for (const id of replicas)
        expect(await cluster.get(id).contents(partition)).toEqual(
          Array.from({ length: 20 }, (_, round) => `p${partition} r${round}`),
        );
  });

  it('catches up from disk, by bounded replies, when the follower was long away', async () => {
    const cluster = await TestCluster.start({
      properties: { 'replica.fetch.max.bytes': '3000', 'replica.fetch.response.max.bytes': '5000' },
    });
    cluster.get(3).kill();
    cluster.fence(3);
    const values = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(200, '.'));
    for (const value of values) void cluster.get(1).produce([value]);
    await cluster.until(() => cluster.get(1).replica().log.highWatermark === 300);
    await cluster.finish(cluster.get(3).start());
    expect(await cluster.until(() => cluster.registration().isr.length === 3)).toBe(true);
    expect(await cluster.get(3).contents()).toEqual(values);
  });

  it('goes on after the streams broke, without loss or repetition', async () => {
    const cluster = await TestCluster.start();
    const sent: Promise<{ error: string }>[] = [];
    for (let i = 0; i < 50; i++) {
      sent.push(cluster.get(1).produce([`v${i}`], { timeoutMs: 30_000 }));
      if (i % 10 === 5) cluster.network.break('broker-1', 'broker-2');
      await cluster.run(2);
    }
    const replies = await cluster.finish(Promise.all(sent));
    expect(replies.every(({ error }) => error === 'NONE')).toBe(true);
    const expected = Array.from({ length: 50 }, (_, i) => `v${i}`);
    for (const broker of cluster.brokers) expect(await broker.contents()).toEqual(expected);
  });

  it('answers a repeated batch with the offsets of the first, and only once that is committed', async () => {
    const cluster = await TestCluster.start();
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 };
    const send = (timeoutMs: number) =>
      cluster.get(1).manager.append({
        acks: -1,
        timeoutMs,
        batches: [{ topic: TOPIC, partition: 0, batch: batchOf(['x', 'y'], producer) }],
      });
    for (const id of [2, 3]) cluster.network.cut(`broker-${id}`, 'broker-1');
    const first = await cluster.finish(send(100));
    const second = await cluster.finish(send(100));
    expect(first[0]?.error).toBe('REQUEST_TIMED_OUT');
    expect(second[0]?.error).toBe('REQUEST_TIMED_OUT');
    cluster.network.heal();
    const third = await cluster.finish(send(5000));
    expect(third[0]).toMatchObject({ error: 'NONE', baseOffset: 0 });
    expect(cluster.get(1).replica().log.logEndOffset).toBe(2);
  });
});

import { describe, expect, it } from 'vitest';
import { batchOf, TestCluster, TOPIC } from './cluster.ts';

const twoReplicas = (leader: number, follower: number) => ({ brokers: 2, assignments: [[leader, follower]] });

/** Nothing from anybody to anybody. */
function isolateAll(cluster: TestCluster): void {
  for (const { id: from } of cluster.brokers)
    for (const { id: to } of cluster.brokers)
      if (from !== to) cluster.network.cut(`broker-${from}`, `broker-${to}`);
}

describe('a change of leader', () => {
  it('keeps what a follower holds above its own high watermark (KIP-101, first scenario)', async () => {
    const cluster = await TestCluster.start(twoReplicas(2, 1));
    await cluster.finish(cluster.get(2).produce(['m1']));
    const reply = cluster.get(2).produce(['m2']);
    await cluster.until(() => cluster.get(1).replica().log.flushedOffset === 2);
    // The news of the high watermark never arrives.
    cluster.network.cut('broker-2', 'broker-1');
    expect((await cluster.finish(reply)).error).toBe('NONE');
    cluster.get(1).kill();
    await cluster.finish(cluster.get(1).start());
    expect(cluster.get(1).replica().log.highWatermark).toBeLessThan(2);
    cluster.get(2).kill();
    cluster.elect(1, [1]);
    expect(await cluster.get(1).contents()).toEqual(['m1', 'm2']);
    cluster.network.heal();
    await cluster.finish(cluster.get(2).start());
    await cluster.until(() => cluster.registration().isr.length === 2);
    expect(await cluster.get(2).contents()).toEqual(['m1', 'm2']);
  });

  it('leaves no two replicas with other records at one offset (KIP-101, second scenario)', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m1']));
    isolateAll(cluster);
    await cluster.finish(cluster.get(1).produce(['m2'], { acks: 1 }));
    cluster.get(1).kill('process');
    cluster.get(2).kill('process');
    cluster.network.heal();
    await cluster.finish(cluster.get(2).start());
    cluster.elect(2, [2]);
    await cluster.finish(cluster.get(2).produce(['m3']));
    await cluster.finish(cluster.get(1).start());
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(await cluster.get(1).contents()).toEqual(['m1', 'm3']);
    expect(await cluster.get(2).contents()).toEqual(['m1', 'm3']);
  });

  it('finds the common part through epochs that either side lacks (KIP-279)', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m']));
    await cluster.run(20);
    isolateAll(cluster);
    const [one, two] = [cluster.get(1), cluster.get(2)];
    for (const value of ['x1', 'x2']) await cluster.finish(one.produce([value], { acks: 1 }));
    one.held = true;
    cluster.elect(2, [2]);
    await cluster.finish(two.produce(['y1']));
    two.held = true;
    cluster.elect(1, [1]);
    one.tell();
    await cluster.finish(one.produce(['z1']));
    cluster.elect(2, [2]);
    two.tell();
    await cluster.finish(two.produce(['w1']));
    expect(await one.contents()).toEqual(['m', 'x1', 'x2', 'z1']);
    cluster.network.heal();
    one.held = false;
    two.held = false;
    one.tell();
    two.tell();
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(await one.contents()).toEqual(['m', 'y1', 'w1']);
    expect(await two.contents()).toEqual(['m', 'y1', 'w1']);
  });

  it('truncates also when the leader is the same broker in a new epoch (KAFKA-7164)', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m']));
    // The leader's tail reaches the follower's log, and is then lost with the power.
    cluster.network.cut('broker-2', 'broker-1');
    void cluster.get(1).produce(['lost'], { timeoutMs: 1e6 });
    await cluster.until(() => cluster.get(2).replica().log.logEndOffset === 2);
    await cluster.finish(cluster.get(1).replica().log.truncateTo(1));
    cluster.network.heal();
    cluster.elect(1, [1]);
    await cluster.finish(cluster.get(1).produce(['new']));
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(await cluster.get(2).contents()).toEqual(['m', 'new']);
  });

  it('is agreed upon also when neither the old nor the new leader wrote anything', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m']));
    isolateAll(cluster);
    cluster.elect(2, [2]);
    cluster.elect(1, [1]);
    cluster.network.heal();
    expect(await cluster.until(() => cluster.registration().isr.length === 2, 5000)).toBe(true);
  });

  it('resolves logs of equal length though the new leader wrote nothing in its epoch', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m']));
    await cluster.run(20);
    isolateAll(cluster);
    await cluster.finish(cluster.get(1).produce(['x'], { acks: 1 }));
    cluster.get(1).held = true;
    cluster.elect(2, [2]);
    await cluster.finish(cluster.get(2).produce(['y'], { acks: 1 }));
    cluster.elect(1, [1]);
    cluster.get(1).held = false;
    cluster.get(1).tell();
    cluster.network.heal();
    expect(await cluster.until(() => cluster.registration().isr.length === 2, 5000)).toBe(true);
    expect(await cluster.get(2).contents()).toEqual(['m', 'x']);
  });

  it('leaves no epoch without records in the way of older ones', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m']));
    await cluster.run(20);
    isolateAll(cluster);
    await cluster.finish(cluster.get(1).produce(['x'], { acks: 1 }));
    cluster.get(1).held = true;
    cluster.elect(2, [2]);
    cluster.elect(1, [1]);
    cluster.get(1).held = false;
    cluster.get(1).tell();
    cluster.network.heal();
    await cluster.finish(cluster.get(1).produce(['n']));
    expect(await cluster.until(() => cluster.registration().isr.length === 2, 5000)).toBe(true);
    const { log } = cluster.get(2).replica();
    expect(await cluster.get(2).contents()).toEqual(['m', 'x', 'n']);
    expect([0, 1, 2].map((epoch) => log.endOffsetForEpoch(epoch))).toEqual([
      { epoch: 0, endOffset: 2 },
      { epoch: 0, endOffset: 2 },
      { epoch: 2, endOffset: 3 },
    ]);
  });

  it('ends also after a leader that wrote nothing (KAFKA-10706)', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['m']));
    isolateAll(cluster);
    cluster.elect(2, [2]);
    cluster.get(2).held = true;
    cluster.elect(1, [1]);
    await cluster.finish(cluster.get(1).produce(['n']));
    cluster.get(2).held = false;
    cluster.get(2).tell();
    cluster.network.heal();
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(await cluster.get(2).contents()).toEqual(['m', 'n']);
  });

  it('fails whoever waits at the old leader at once, and an idempotent retry finds the records', async () => {
    const cluster = await TestCluster.start();
    const producer = { producerId: 9, producerEpoch: 0, baseSequence: 0 };
    const batches = () => [{ topic: TOPIC, partition: 0, batch: batchOf(['m'], producer) }];
    cluster.network.cut('broker-3', 'broker-1');
    const pending = cluster.get(1).manager.append({ acks: -1, timeoutMs: 60_000, batches: batches() });
    await cluster.until(() => cluster.get(2).replica().log.flushedOffset === 1);
    const beforeMs = cluster.scheduler.nowMs;
    cluster.elect(2, [1, 2, 3]);
    expect((await cluster.finish(pending))[0]?.error).toBe('REQUEST_TIMED_OUT');
    expect(cluster.scheduler.nowMs - beforeMs).toBeLessThan(5);
    const again = await cluster.finish(
      cluster.get(2).manager.append({ acks: -1, timeoutMs: 60_000, batches: batches() }),
    );
    expect(again[0]).toMatchObject({ error: 'NONE', baseOffset: 0 });
    expect(await cluster.get(2).contents()).toEqual(['m']);
  });

  it('fails whoever waits also when the same broker leads on', async () => {
    const cluster = await TestCluster.start();
    cluster.network.cut('broker-3', 'broker-1');
    const pending = cluster.get(1).produce(['m'], { timeoutMs: 60_000 });
    await cluster.run(50);
    cluster.elect(1, [1, 2, 3]);
    expect((await cluster.finish(pending)).error).toBe('REQUEST_TIMED_OUT');
  });

  it('keeps an old leader that has not heard of it from committing', async () => {
    const cluster = await TestCluster.start({ configs: { 'min.insync.replicas': '2' } });
    await cluster.finish(cluster.get(1).produce(['m']));
    const old = cluster.get(1);
    old.held = true;
    cluster.elect(2, [2, 3]);
    const stale = old.produce(['stale'], { timeoutMs: 2000 });
    expect((await cluster.finish(cluster.get(2).produce(['new']))).error).toBe('NONE');
    expect((await cluster.finish(stale)).error).toBe('REQUEST_TIMED_OUT');
    expect(old.replica().log.highWatermark).toBe(1);
    old.held = false;
    old.tell();
    expect(await cluster.until(() => cluster.registration().isr.length === 3)).toBe(true);
    expect(await old.contents()).toEqual(['m', 'new']);
  });

  it('starts over where the leader begins when everything the follower has is gone there', async () => {
    const cluster = await TestCluster.start(twoReplicas(1, 2));
    await cluster.finish(cluster.get(1).produce(['a']));
    cluster.get(2).kill('process');
    cluster.fence(2);
    await cluster.finish(cluster.get(1).replica().log.truncateFullyAndStartAt(10));
    cluster.elect(1, [1]);
    await cluster.finish(cluster.get(1).produce(['k']));
    await cluster.finish(cluster.get(2).start());
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    const { log } = cluster.get(2).replica();
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([10, 11, 11]);
  });

  it('is waited for by followers that hear of it before the new leader does', async () => {
    const cluster = await TestCluster.start();
    cluster.get(2).held = true;
    cluster.elect(2, [1, 2, 3]);
    await cluster.run(100);
    cluster.get(2).held = false;
    cluster.get(2).tell();
    const beforeMs = cluster.scheduler.nowMs;
    expect((await cluster.finish(cluster.get(2).produce(['m'], { timeoutMs: 5000 }))).error).toBe('NONE');
    expect(cluster.scheduler.nowMs - beforeMs).toBeLessThan(400);
  });
});

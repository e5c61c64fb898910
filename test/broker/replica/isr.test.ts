import { describe, expect, it } from 'vitest';
import { ApiError, EnvironmentError } from '../../../src/base/index.ts';
import { TestCluster } from './cluster.ts';

const minIsr2 = { configs: { 'min.insync.replicas': '2' } };
const isolate = (cluster: TestCluster, id: number) => {
  for (const { id: other } of cluster.brokers) {
    if (other === id) continue;
    cluster.network.cut(`broker-${id}`, `broker-${other}`);
    cluster.network.cut(`broker-${other}`, `broker-${id}`);
  }
};

describe('the in-sync set', () => {
  it('loses a member that is behind for longer than replica.lag.time.max.ms, and goes on without it', async () => {
    const cluster = await TestCluster.start(minIsr2);
    isolate(cluster, 3);
    const pending = cluster.get(1).produce(['m'], { timeoutMs: 60_000 });
    await cluster.run(10_000);
    expect(cluster.registration().isr).toEqual([1, 2, 3]);
    expect((await cluster.finish(pending)).error).toBe('NONE');
    expect(cluster.registration().isr).toEqual([1, 2]);
    // A quarter of the time is the longest wait for the next look.
    expect(cluster.scheduler.nowMs).toBeLessThan(13_000);
  });

  it('gives a member its full time after a long silence', async () => {
    const cluster = await TestCluster.start(minIsr2);
    await cluster.finish(cluster.get(1).produce(['m']));
    await cluster.run(60_000);
    isolate(cluster, 3);
    void cluster.get(1).produce(['n'], { timeoutMs: 1000 });
    await cluster.run(9_000);
    expect(cluster.registration().isr).toEqual([1, 2, 3]);
    await cluster.run(5_000);
    expect(cluster.registration().isr).toEqual([1, 2]);
  });

  it('takes in a broker that has caught up the moment it is unfenced', async () => {
    const cluster = await TestCluster.start(minIsr2);
    cluster.fence(3);
    await cluster.finish(cluster.get(1).produce(['m']));
    await cluster.run(1000);
    expect(cluster.registration().isr).toEqual([1, 2]);
    cluster.unfence(3);
    expect(await cluster.until(() => cluster.registration().isr.length === 3, 20)).toBe(true);
  });

  it('takes a member back as soon as it has caught up', async () => {
    const cluster = await TestCluster.start(minIsr2);
    isolate(cluster, 3);
    await cluster.finish(cluster.get(1).produce(['m'], { timeoutMs: 60_000 }));
    cluster.network.heal();
    const beforeMs = cluster.scheduler.nowMs;
    expect(await cluster.until(() => cluster.registration().isr.length === 3)).toBe(true);
    expect(cluster.scheduler.nowMs - beforeMs).toBeLessThan(7_000);
    expect(await cluster.get(3).contents()).toEqual(['m']);
  });

  it('takes a restarted broker back within moments', async () => {
    const cluster = await TestCluster.start(minIsr2);
    cluster.get(3).kill();
    cluster.fence(3);
    await cluster.finish(cluster.get(1).produce(['m']));
    await cluster.finish(cluster.get(3).start());
    const beforeMs = cluster.scheduler.nowMs;
    expect(await cluster.until(() => cluster.registration().isr.length === 3)).toBe(true);
    expect(cluster.scheduler.nowMs - beforeMs).toBeLessThan(200);
  });

  it('takes members back under constant load', async () => {
    const cluster = await TestCluster.start(minIsr2);
    cluster.get(3).kill();
    cluster.fence(3);
    let sending = true;
    const load = async (): Promise<void> => {
      while (sending) await cluster.get(1).produce(['load'], { timeoutMs: 60_000 });
    };
    const loads = [load(), load(), load()];
    await cluster.finish(cluster.get(3).start());
    expect(await cluster.until(() => cluster.registration().isr.length === 3, 5000)).toBe(true);
    sending = false;
    await cluster.finish(Promise.all(loads));
  });

  it('refuses acks=all below min.insync.replicas, saying who is missing, and accepts acks=1', async () => {
    const cluster = await TestCluster.start(minIsr2);
    for (const id of [2, 3]) {
      cluster.get(id).kill();
      cluster.fence(id);
    }
    const refused = await cluster.finish(cluster.get(1).produce(['m']));
    expect(refused).toMatchObject({
      error: 'NOT_ENOUGH_REPLICAS',
      baseOffset: -1,
      errorMessage:
        'orders-0 has 1 in-sync replica of 2 required (broker 2 fenced, broker 3 fenced); ' +
        'start brokers 2 and 3 or lower min.insync.replicas',
    });
    expect(cluster.get(1).replica().log.logEndOffset).toBe(0);
    expect((await cluster.finish(cluster.get(1).produce(['one'], { acks: 1 }))).error).toBe('NONE');
    await cluster.run(30_000);
    expect(cluster.get(1).replica().log.highWatermark).toBe(0);
    await cluster.finish(cluster.get(2).start());
    expect(await cluster.until(() => cluster.get(1).replica().log.highWatermark === 1, 1000)).toBe(true);
  });

  it('takes a lower min.insync.replicas into account at once', async () => {
    const cluster = await TestCluster.start(minIsr2);
    for (const id of [2, 3]) {
      cluster.get(id).kill();
      cluster.fence(id);
    }
    await cluster.finish(cluster.get(1).produce(['one'], { acks: 1 }));
    await cluster.run(10);
    cluster.setConfig('min.insync.replicas', '1');
    expect(cluster.get(1).replica().log.highWatermark).toBe(1);
    expect((await cluster.finish(cluster.get(1).produce(['m']))).error).toBe('NONE');
  });

  it('tells a producer whose records were appended when it shrank too far', async () => {
    const cluster = await TestCluster.start({ brokers: 2, ...minIsr2 });
    cluster.network.cut('broker-2', 'broker-1');
    const pending = cluster.get(1).produce(['m'], { timeoutMs: 60_000 });
    await cluster.run(20);
    cluster.fence(2);
    // Below the minimum nothing is committed; lowered, it is, and the waiting request is fine.
    await cluster.run(20);
    expect(cluster.get(1).replica().log.highWatermark).toBe(0);
    cluster.setConfig('min.insync.replicas', '1');
    expect((await cluster.finish(pending)).error).toBe('NONE');
  });

  it('does not take in a broker that the controller refuses, and asks again later', async () => {
    const cluster = await TestCluster.start({ brokers: 2 });
    cluster.get(2).kill();
    cluster.fence(2);
    cluster.alterFailures.push('INELIGIBLE_REPLICA');
    await cluster.finish(cluster.get(2).start());
    expect(await cluster.until(() => cluster.altered.length === 1)).toBe(true);
    await cluster.run(10);
    expect(cluster.get(1).replica().state.isr.kind).toBe('committed');
    expect(await cluster.until(() => cluster.registration().isr.length === 2, 3000)).toBe(true);
  });

  it.each([
    ['no answer', new EnvironmentError('deadline-exceeded', 'controller', 'too late')],
    ['another controller', new ApiError('NOT_CONTROLLER')],
  ])('asks again after %s, and holds the high watermark for the new member meanwhile', async (_, failure) => {
    const cluster = await TestCluster.start({ brokers: 2 });
    cluster.get(2).kill();
    cluster.fence(2);
    for (let i = 0; i < 5; i++) cluster.alterFailures.push(failure);
    await cluster.finish(cluster.get(2).start());
    const { state } = cluster.get(1).replica();
    expect(await cluster.until(() => state.isr.kind === 'pending-expand')).toBe(true);
    expect(state.isr.maximal).toEqual([1, 2]);
    isolate(cluster, 2);
    expect((await cluster.finish(cluster.get(1).produce(['m'], { timeoutMs: 50 }))).error).toBe(
      'REQUEST_TIMED_OUT',
    );
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(cluster.altered.length).toBeGreaterThan(5);
  });

  it('does not let an incarnation in on the word of the one before it (KIP-903)', async () => {
    const cluster = await TestCluster.start({ brokers: 2 });
    await cluster.finish(cluster.get(1).produce(['m']));
    cluster.get(2).kill();
    cluster.fence(2);
    for (let i = 0; i < 20; i++) cluster.alterFailures.push(new ApiError('NOT_CONTROLLER'));
    await cluster.finish(cluster.get(2).start());
    const { state } = cluster.get(1).replica();
    expect(await cluster.until(() => state.isr.kind === 'pending-expand')).toBe(true);
    // It restarts with an empty disk, and what it fetches does not reach it.
    cluster.get(2).kill();
    await cluster.finish(cluster.get(2).environment.files.removeDirectory('data'));
    await cluster.finish(cluster.get(2).start());
    expect(await cluster.until(() => state.followers.get(2)?.endOffset === 0)).toBe(true);
    isolate(cluster, 2);
    await cluster.run(5_000);
    expect(cluster.alterFailures).toEqual([]);
    expect(cluster.registration().isr).toEqual([1]);
    cluster.network.heal();
    expect(await cluster.until(() => cluster.registration().isr.length === 2)).toBe(true);
    expect(await cluster.get(2).contents()).toEqual(['m']);
  });

  it('does not listen to an incarnation that has been replaced', async () => {
    const cluster = await TestCluster.start({ brokers: 2 });
    await cluster.finish(cluster.get(1).produce(['m']));
    // Broker 2 is registered anew while its old process fetches on.
    cluster.register(2);
    const old = cluster.get(2);
    await cluster.finish(cluster.get(1).produce(['n'], { timeoutMs: 5000 }));
    await cluster.run(5000);
    expect(cluster.registration().isr).toEqual([1]);
    expect(old.alive).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import type { DeletedRecords } from '../../../src/rpc/api/index.ts';
import { TestCluster, TOPIC } from './cluster.ts';

const WAIT_MS = 5_000;

function remove(cluster: TestCluster, broker: number, beforeOffset: number, timeoutMs = WAIT_MS) {
  const asked = [{ topic: TOPIC, partition: 0, beforeOffset }];
  return cluster.get(broker).manager.deleteRecords(asked, timeoutMs);
}

async function removed(cluster: TestCluster, broker: number, beforeOffset: number, timeoutMs = WAIT_MS) {
  const [reply] = await cluster.finish(remove(cluster, broker, beforeOffset, timeoutMs));
  return reply as DeletedRecords;
}

/** The disk of a broker takes its time with the checkpoint of log starts. */
function saveLogStartsSlowly(cluster: TestCluster, id: number): void {
  const { files } = cluster.get(id).environment;
  const perform = files.perform.bind(files);
  files.perform = async (operation, path, effect) => {
    if (path.includes('log-start-offset'))
      await new Promise<void>((resolve) => cluster.scheduler.after(200, resolve));
    return perform(operation, path, effect);
  };
}

async function filled(options: Parameters<typeof TestCluster.start>[0] = {}, count = 10) {
  const cluster = await TestCluster.start(options);
  for (let i = 0; i < count; i++) await cluster.finish(cluster.get(1).produce([`r${i}`]));
  return cluster;
}

const starts = (cluster: TestCluster) => cluster.brokers.map((broker) => broker.replica().log.logStartOffset);

describe('deleting records', () => {
  it('is answered when every live replica begins at the offset, on a partition that is otherwise idle', async () => {
    const cluster = await filled();
    const reply = await removed(cluster, 1, 4);
    expect(reply).toEqual({ error: 'NONE', topic: TOPIC, partition: 0, lowWatermark: 4 });
    expect(starts(cluster)).toEqual([4, 4, 4]);
    expect(await cluster.get(2).contents()).toEqual(['r4', 'r5', 'r6', 'r7', 'r8', 'r9']);
  });

  it('reaches parked followers at once, not with their next fetch', async () => {
    const cluster = await filled({ properties: { 'replica.fetch.wait.max.ms': '100000' } });
    await cluster.run(1_000);
    expect((await removed(cluster, 1, 4, 200)).lowWatermark).toBe(4);
  });

  it('of everything goes up to the high watermark', async () => {
    const cluster = await filled();
    expect((await removed(cluster, 1, -1)).lowWatermark).toBe(10);
    expect(starts(cluster)).toEqual([10, 10, 10]);
    expect((await cluster.finish(cluster.get(1).produce(['next']))).baseOffset).toBe(10);
  });

  it('twice, or below what is gone, changes nothing and is answered with where the logs begin', async () => {
    const cluster = await filled();
    await removed(cluster, 1, 6);
    expect((await removed(cluster, 1, 6)).lowWatermark).toBe(6);
    expect((await removed(cluster, 1, 2)).lowWatermark).toBe(6);
    expect(starts(cluster)).toEqual([6, 6, 6]);
  });

  it('further on while an earlier deletion is under way ends with the later log start everywhere', async () => {
    const cluster = await filled({ diskMs: () => 20 });
    const both = Promise.all([remove(cluster, 1, 3), remove(cluster, 1, 8)]);
    const [[first], [second]] = await cluster.finish(both);
    expect([first?.error, second?.lowWatermark]).toEqual(['NONE', 8]);
    expect(starts(cluster)).toEqual([8, 8, 8]);
  });

  it('above the high watermark is refused and takes nothing', async () => {
    const cluster = await filled();
    for (const offset of [11, -2])
      expect(await removed(cluster, 1, offset)).toMatchObject({
        error: 'OFFSET_OUT_OF_RANGE',
        lowWatermark: -1,
      });
    expect(starts(cluster)).toEqual([0, 0, 0]);
  });

  it('of a topic that is only compacted is refused', async () => {
    const cluster = await filled({ configs: { 'cleanup.policy': 'compact' } }, 0);
    expect((await removed(cluster, 1, -1)).error).toBe('POLICY_VIOLATION');
    cluster.setConfig('cleanup.policy', 'compact,delete');
    expect((await removed(cluster, 1, -1)).lowWatermark).toBe(0);
  });

  it('asked of a follower is refused with who leads', async () => {
    const cluster = await filled();
    const reply = await removed(cluster, 2, 4);
    expect(reply.error).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(reply.errorMessage).toContain('broker 1');
    expect(starts(cluster)).toEqual([0, 0, 0]);
  });

  it('does not wait for a broker that is fenced, which takes the log start over when it is back', async () => {
    const cluster = await filled();
    cluster.get(3).kill();
    cluster.fence(3);
    expect((await removed(cluster, 1, 5)).lowWatermark).toBe(5);
    await cluster.finish(cluster.get(3).start());
    expect(await cluster.until(() => cluster.get(3).replica().log.logStartOffset === 5)).toBe(true);
  });

  it('waits for a live replica, goes on when it is fenced, and else times out with its name', async () => {
    const cluster = await filled();
    cluster.get(3).kill();
    const late = await removed(cluster, 1, 5, 300);
    expect(late.error).toBe('REQUEST_TIMED_OUT');
    expect(late.errorMessage).toContain('broker 3 has not');
    const waiting = remove(cluster, 1, 6);
    await cluster.run(100);
    cluster.fence(3);
    expect((await cluster.finish(waiting))[0]?.lowWatermark).toBe(6);
  });

  it('whose leadership moves meanwhile is in doubt', async () => {
    const cluster = await filled();
    cluster.get(3).kill();
    const waiting = remove(cluster, 1, 5);
    await cluster.run(100);
    cluster.elect(2, [2, 1]);
    expect((await cluster.finish(waiting))[0]).toMatchObject({
      error: 'REQUEST_TIMED_OUT',
      lowWatermark: -1,
    });
  });

  it('that was answered outlives the power of all replicas', async () => {
    const cluster = await filled();
    await removed(cluster, 1, 7);
    for (const broker of cluster.brokers) broker.kill('power');
    for (const broker of cluster.brokers) await cluster.finish(broker.start());
    await cluster.settled();
    expect(starts(cluster)).toEqual([7, 7, 7]);
  });

  it('is not reported by a replica before its disk has it', async () => {
    const cluster = await filled();
    saveLogStartsSlowly(cluster, 3);
    const removing = remove(cluster, 1, 7);
    await cluster.run(20);
    // A listing meanwhile tells nothing else.
    await cluster.finish(cluster.get(1).produce(['more']));
    const [reply] = await cluster.finish(removing);
    expect([reply?.lowWatermark, cluster.get(3).replica().log.durableLogStartOffset]).toEqual([7, 7]);
  });

  it('is taken over, durably, by a replica that was away before it may be elected', async () => {
    const cluster = await filled();
    cluster.get(3).kill();
    cluster.fence(3);
    await removed(cluster, 1, 5);
    saveLogStartsSlowly(cluster, 3);
    await cluster.finish(cluster.get(3).start());
    expect(await cluster.until(() => cluster.registration().isr.includes(3))).toBe(true);
    expect(cluster.get(3).replica().log.durableLogStartOffset).toBe(5);
  });

  it('is kept by the next leader', async () => {
    const cluster = await filled();
    await removed(cluster, 1, 7);
    cluster.elect(2, [2, 1, 3]);
    await cluster.finish(cluster.get(2).produce(['of the next leader']));
    expect(await cluster.get(2).contents()).toEqual(['r7', 'r8', 'r9', 'of the next leader']);
    const asked = { topic: TOPIC, partition: 0, timestampMs: -2, currentLeaderEpoch: -1 };
    const earliest = await cluster.finish(cluster.get(2).manager.listOffset(asked, 'read_uncommitted'));
    expect(earliest.offset).toBe(7);
  });
});

describe('the log start of a follower', () => {
  it('never passes its high watermark, and follows as that grows', async () => {
    const cluster = await filled({ diskMs: () => 3 });
    for (let i = 0; i < 30; i++) {
      const produced = cluster.get(1).produce([`more ${i}`]);
      if (i % 3 === 0) void remove(cluster, 1, -1);
      for (let step = 0; step < 20; step++) {
        await cluster.run(1);
        for (const broker of cluster.brokers) {
          const { log } = broker.replica();
          expect(log.logStartOffset).toBeLessThanOrEqual(log.highWatermark);
          expect(log.durableLogStartOffset).toBeLessThanOrEqual(log.logStartOffset);
        }
      }
      await cluster.finish(produced);
    }
    await removed(cluster, 1, -1);
    expect(starts(cluster)).toEqual([40, 40, 40]);
  });

  it('that lies within a batch keeps no replica out that begins anew', async () => {
    const cluster = await filled({}, 0);
    await cluster.finish(cluster.get(1).produce(['a', 'b', 'c', 'd', 'e']));
    cluster.get(3).kill();
    cluster.fence(3);
    await removed(cluster, 1, 3);
    cluster.get(3).environment.files.wipe();
    await cluster.finish(cluster.get(3).start());
    expect(await cluster.until(() => cluster.registration().isr.includes(3))).toBe(true);
    const { log } = cluster.get(3).replica();
    expect([log.logStartOffset, log.logEndOffset]).toEqual([3, 5]);
    expect(await cluster.get(3).contents()).toEqual(await cluster.get(1).contents());
  });

  it('is taken over by a replica that lags behind it: its log begins anew there', async () => {
    const cluster = await filled({}, 3);
    cluster.get(3).kill();
    cluster.fence(3);
    for (let i = 0; i < 5; i++) await cluster.finish(cluster.get(1).produce([`more ${i}`]));
    await removed(cluster, 1, 6);
    await cluster.finish(cluster.get(3).start());
    expect(await cluster.until(() => cluster.get(3).replica().log.logEndOffset === 8)).toBe(true);
    expect(starts(cluster)).toEqual([6, 6, 6]);
  });
});

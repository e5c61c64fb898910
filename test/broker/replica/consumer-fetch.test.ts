import { describe, expect, it } from 'vitest';
import {
  EARLIEST_TIMESTAMP,
  type FetchPartition,
  LATEST_TIMESTAMP,
  MAX_TIMESTAMP,
} from '../../../src/rpc/api/index.ts';
import { TestCluster, TOPIC } from './cluster.ts';

const at = (fetchOffset: number, overrides: Partial<FetchPartition> = {}): FetchPartition => ({
  topic: TOPIC,
  partition: 0,
  fetchOffset,
  currentLeaderEpoch: -1,
  maxBytes: 1 << 20,
  ...overrides,
});

function fetchFrom(cluster: TestCluster, id: number, partitions: FetchPartition[], overrides = {}) {
  return cluster.get(id).manager.fetch({
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolation: 'read_uncommitted',
    partitions,
    signal: new AbortController().signal,
    ...overrides,
  });
}

const sizeOf = (batches: readonly Uint8Array[]) => batches.reduce((sum, { length }) => sum + length, 0);

describe('a fetch', () => {
  it('brings committed records only', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['a']));
    for (const id of [2, 3]) cluster.network.cut(`broker-${id}`, 'broker-1');
    await cluster.finish(cluster.get(1).produce(['b'], { acks: 1 }));
    const [from0, from1] = await cluster.finish(
      Promise.all([fetchFrom(cluster, 1, [at(0)]), fetchFrom(cluster, 1, [at(1)])]),
    );
    expect(from0?.[0]).toMatchObject({ error: 'NONE', highWatermark: 1, lastStableOffset: 1 });
    expect(sizeOf(from0?.[0]?.batches ?? [])).toBeGreaterThan(0);
    expect(from1?.[0]).toMatchObject({ error: 'NONE', batches: [] });
  });

  it('waits until something is committed', async () => {
    const cluster = await TestCluster.start();
    const waiting = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 10_000 });
    await cluster.run(100);
    await cluster.finish(cluster.get(1).produce(['a']));
    const [reply] = await cluster.finish(waiting);
    expect(cluster.scheduler.nowMs).toBeLessThan(1000);
    expect(reply?.batches).toHaveLength(1);
  });

  it('waits for minBytes, and no longer than maxWaitMs', async () => {
    const cluster = await TestCluster.start();
    const enough = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 10_000, minBytes: 150 });
    const tooLittle = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 3000, minBytes: 10_000 });
    await cluster.finish(cluster.get(1).produce(['a']));
    await cluster.run(1000);
    await cluster.finish(cluster.get(1).produce(['b'.repeat(100)]));
    const [more] = await cluster.finish(enough);
    expect(sizeOf(more?.batches ?? [])).toBeGreaterThanOrEqual(150);
    expect(cluster.scheduler.nowMs).toBeLessThan(2000);
    const [less] = await cluster.finish(tooLittle);
    expect(cluster.scheduler.nowMs).toBeGreaterThanOrEqual(3000);
    expect(sizeOf(less?.batches ?? [])).toBeGreaterThan(0);
  });

  it('does not wait for bytes that the next segment has already', async () => {
    const cluster = await TestCluster.start({ brokers: 1, configs: { 'segment.bytes': '100' } });
    for (const value of ['a', 'b', 'c']) await cluster.finish(cluster.get(1).produce([value]));
    cluster.get(1).kill('process');
    await cluster.finish(cluster.get(1).start());
    const startMs = cluster.scheduler.nowMs;
    const [reply] = await cluster.finish(
      fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 10_000, minBytes: 150 }),
    );
    expect(reply?.highWatermark).toBe(3);
    expect(sizeOf(reply?.batches ?? [])).toBeGreaterThan(0);
    expect(cluster.scheduler.nowMs - startMs).toBeLessThan(1000);
  });

  it('misses nothing that is committed while it reads from disk', async () => {
    let readMs = 0.5;
    const cluster = await TestCluster.start({
      brokers: 1,
      diskMs: (operation) => (operation === 'read' ? readMs : 0.1),
    });
    await cluster.finish(cluster.get(1).produce(['a']));
    cluster.get(1).kill('process');
    await cluster.finish(cluster.get(1).start());
    readMs = 50;
    const waiting = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 10_000, minBytes: 150 });
    await cluster.finish(cluster.get(1).produce(['b'.repeat(100)]));
    const [reply] = await cluster.finish(waiting);
    expect(sizeOf(reply?.batches ?? [])).toBeGreaterThanOrEqual(150);
    expect(cluster.scheduler.nowMs).toBeLessThan(1000);
  });

  it('ends when its caller goes away', async () => {
    const cluster = await TestCluster.start();
    const caller = new AbortController();
    const waiting = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 100_000, signal: caller.signal });
    await cluster.run(10);
    caller.abort();
    await cluster.finish(waiting);
    expect(cluster.scheduler.nowMs).toBeLessThan(1000);
  });

  it('ends with NOT_LEADER_OR_FOLLOWER when leadership moves while it waits', async () => {
    const cluster = await TestCluster.start();
    const waiting = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 100_000 });
    await cluster.run(10);
    cluster.elect(2, [1, 2, 3]);
    expect((await cluster.finish(waiting))[0]?.error).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(cluster.scheduler.nowMs).toBeLessThan(1000);
  });

  it('ends with UNKNOWN_TOPIC_OR_PARTITION when the topic is deleted while it waits', async () => {
    const cluster = await TestCluster.start();
    const waiting = fetchFrom(cluster, 1, [at(0)], { maxWaitMs: 100_000 });
    await cluster.run(10);
    cluster.commit({ kind: 'remove-topic', topicId: cluster.image.topics.find(TOPIC)?.id ?? '' });
    expect((await cluster.finish(waiting))[0]?.error).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('brings the first batch whole even beyond every limit, and then keeps to them', async () => {
    const cluster = await TestCluster.start({ assignments: [[1], [1], [1]] });
    for (const partition of [0, 1, 2])
      await cluster.finish(cluster.get(1).produce(['x'.repeat(1000)], { partition }));
    const partitions = [0, 1, 2].map((partition) => at(0, { partition, maxBytes: 10 }));
    const tiny = await cluster.finish(fetchFrom(cluster, 1, partitions, { maxBytes: 20 }));
    expect(tiny.map(({ batches }) => batches.length)).toEqual([1, 0, 0]);
    const roomy = partitions.map((one) => ({ ...one, maxBytes: 1 << 20 }));
    const two = await cluster.finish(fetchFrom(cluster, 1, roomy, { maxBytes: 2500 }));
    expect(two.map(({ batches }) => batches.length)).toEqual([1, 1, 0]);
  });

  it('names the range of a log that does not hold the offset', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['a', 'b', 'c']));
    const [high] = await cluster.finish(fetchFrom(cluster, 1, [at(500)], { maxWaitMs: 10_000 }));
    expect(high).toMatchObject({
      error: 'OFFSET_OUT_OF_RANGE',
      errorMessage: 'offset 500 is outside of orders-0, which holds 0 to 3',
      highWatermark: -1,
    });
    const [low] = await cluster.finish(fetchFrom(cluster, 1, [at(-5)]));
    expect(low?.error).toBe('OFFSET_OUT_OF_RANGE');
  });

  it.each([
    [0, 'FENCED_LEADER_EPOCH'],
    [2, 'UNKNOWN_LEADER_EPOCH'],
    [1, 'NONE'],
  ])('that believes in leader epoch %i of 1 gets %s', async (currentLeaderEpoch, error) => {
    const cluster = await TestCluster.start();
    cluster.elect(1, [1, 2, 3]);
    const [reply] = await cluster.finish(fetchFrom(cluster, 1, [at(0, { currentLeaderEpoch })]));
    expect(reply?.error).toBe(error);
  });

  it('is for the leader, and tells partitions that are elsewhere from those that are nowhere', async () => {
    const cluster = await TestCluster.start({ assignments: [[1, 2]] });
    const errorOf = async (id: number, partition: number) =>
      (await cluster.finish(fetchFrom(cluster, id, [at(0, { partition })])))[0]?.error;
    expect(await errorOf(2, 0)).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(await errorOf(3, 0)).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(await errorOf(1, 7)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });
});

describe('an offset by time', () => {
  const ask = (cluster: TestCluster, id: number, timestampMs: number) =>
    cluster.finish(
      cluster
        .get(id)
        .manager.listOffset(
          { topic: TOPIC, partition: 0, timestampMs, currentLeaderEpoch: -1 },
          'read_uncommitted',
        ),
    );

  it('is at most what is committed', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['a', 'b']));
    for (const id of [2, 3]) cluster.network.cut(`broker-${id}`, 'broker-1');
    await cluster.finish(cluster.get(1).produce(['c'], { acks: 1 }));
    expect(await ask(cluster, 1, LATEST_TIMESTAMP)).toMatchObject({ error: 'NONE', offset: 2 });
    expect(await ask(cluster, 1, EARLIEST_TIMESTAMP)).toMatchObject({ error: 'NONE', offset: 0 });
    expect(await ask(cluster, 1, 1000)).toMatchObject({ error: 'NONE', offset: 0, timestampMs: 1000 });
    expect(await ask(cluster, 1, 2000)).toMatchObject({ error: 'NONE', offset: -1 });
  });

  it('is that of the largest timestamp when asked for it, once that is committed', async () => {
    const cluster = await TestCluster.start();
    expect(await ask(cluster, 1, MAX_TIMESTAMP)).toMatchObject({ offset: -1, timestampMs: -1 });
    await cluster.finish(cluster.get(1).produce(['a', 'b']));
    const { offset, timestampMs } = await ask(cluster, 1, MAX_TIMESTAMP);
    const { log } = cluster.get(1).replica();
    expect({ offset, timestampMs }).toEqual(await log.maxTimestamp());
    expect(offset).toBeGreaterThanOrEqual(0);
  });

  it('comes with the epoch of its record, the end with that of the leader (KIP-320)', async () => {
    const cluster = await TestCluster.start();
    const epochOf = async (id: number, timestampMs: number) => {
      const { error, offset, leaderEpoch } = await ask(cluster, id, timestampMs);
      return { error, offset, leaderEpoch };
    };
    const answer = (offset: number, leaderEpoch: number) => ({ error: 'NONE', offset, leaderEpoch });
    expect(await epochOf(1, MAX_TIMESTAMP)).toEqual(answer(-1, -1));
    await cluster.finish(cluster.get(1).produce(['a', 'b']));
    for (const leader of [2, 3]) cluster.elect(leader, [1, 2, 3]);
    await cluster.finish(cluster.get(3).produce(['c']));
    cluster.elect(1, [1, 2, 3]);
    await cluster.until(() => cluster.get(1).replica().log.highWatermark === 3);
    const { timestampMs } = await ask(cluster, 1, MAX_TIMESTAMP);
    expect(await epochOf(1, EARLIEST_TIMESTAMP)).toEqual(answer(0, 0));
    expect(await epochOf(1, 0)).toEqual(answer(0, 0));
    expect(await epochOf(1, LATEST_TIMESTAMP)).toEqual(answer(3, 3));
    expect(await epochOf(1, timestampMs + 1)).toEqual(answer(-1, -1));
    await cluster.finish(cluster.get(1).replica().log.advanceLogStart(2));
    expect(await epochOf(1, EARLIEST_TIMESTAMP)).toEqual(answer(2, 2));
    expect(await epochOf(1, 0)).toEqual(answer(2, 2));
  });

  it('is refused for a number that means nothing', async () => {
    const cluster = await TestCluster.start();
    await expect(ask(cluster, 1, -4).then(({ error }) => error)).resolves.toBe('INVALID_REQUEST');
  });

  it('is not available while a new leader may know less than the one before showed (KIP-207)', async () => {
    const cluster = await TestCluster.start();
    await cluster.finish(cluster.get(1).produce(['a']));
    cluster.network.cut('broker-1', 'broker-2');
    const two = cluster.get(2).replica();
    two.log.setHighWatermark(0);
    for (const id of [1, 3]) cluster.network.cut(`broker-${id}`, 'broker-2');
    cluster.elect(2, [1, 2, 3]);
    expect(await ask(cluster, 2, LATEST_TIMESTAMP)).toMatchObject({ error: 'OFFSET_NOT_AVAILABLE' });
    cluster.network.heal();
    await cluster.until(() => two.log.highWatermark === 1);
    expect(await ask(cluster, 2, LATEST_TIMESTAMP)).toMatchObject({ error: 'NONE', offset: 1 });
  });
});

import { describe, expect, it } from 'vitest';
import { ApiError, CorruptionError } from '../../../src/base/index.ts';
import { LOST_DIRECTORY } from '../../../src/metadata/index.ts';
import { DIRECTORY, type TestBroker, TestCluster, TOPIC, TOPIC_ID } from './cluster.ts';

const twoReplicas = { brokers: 2, assignments: [[1, 2]] };
const LOG = `data/${TOPIC}-0/00000000000000000000.log`;
const VALUES = ['a', 'b', 'c'];

/** Broker 1 leads VALUES, all in sync, all checkpoints saved. */
async function withValues(options: Parameters<typeof TestCluster.start>[0] = twoReplicas) {
  const cluster = await TestCluster.start(options);
  for (const value of VALUES) await cluster.finish(cluster.get(1).produce([value]));
  await cluster.run(6_000);
  return cluster;
}

function isWhole(cluster: TestCluster, size = 2): boolean {
  return cluster.registration().isr.length === size;
}

function kept({ environment }: TestBroker): string[] {
  return environment.files.paths().filter((path) => /-damaged$/.test(path));
}

function damage(broker: TestBroker): void {
  broker.replica().log.takeOffline(new CorruptionError('x.log', 100, 'a batch', 'another'));
}

describe('a log that is damaged when the broker starts', () => {
  async function damagedAlone() {
    const cluster = await withValues();
    cluster.fence(2);
    const one = cluster.get(1);
    one.kill('process');
    one.environment.files.flipBit(LOG, 8 * 100);
    await cluster.finish(one.start());
    await cluster.run(1_000);
    return { cluster, one };
  }

  it('of the last in-sync replica stays offline, is not served and not replaced, and the broker goes on', async () => {
    const { cluster, one } = await damagedAlone();
    expect(cluster.registration()).toMatchObject({
      isr: [1],
      leader: -1,
      directories: [LOST_DIRECTORY, DIRECTORY],
    });
    expect(await cluster.get(2).contents()).toEqual(VALUES);
    expect(one.environment.exit.ends).toEqual([]);
    expect(kept(one)).toEqual([]);
    const [fetched] = await cluster.finish(
      one.manager.fetch({
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes: 1000,
        isolation: 'read_uncommitted',
        signal: new AbortController().signal,
        partitions: [{ topic: TOPIC, partition: 0, fetchOffset: 1, currentLeaderEpoch: -1, maxBytes: 1000 }],
      }),
    );
    expect(fetched?.error).toBe('NOT_LEADER_OR_FOLLOWER');
  });

  it('leads again once its file is restored', async () => {
    const { cluster, one } = await damagedAlone();
    one.kill('process');
    one.environment.files.flipBit(LOG, 8 * 100);
    await cluster.finish(one.start());
    expect(await cluster.until(() => cluster.registration().leader === 1, 5_000)).toBe(true);
    expect(await one.contents()).toEqual(VALUES);
  });

  it('is replaced when another replica was elected uncleanly', async () => {
    const { cluster, one } = await damagedAlone();
    cluster.unfence(2);
    cluster.elect(2, [2]);
    expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
    expect(await one.contents()).toEqual(VALUES);
    expect(kept(one)).toHaveLength(1);
  });

  it.each([
    ['a batch', LOG, 8 * 100],
    ['the topic id', `data/${TOPIC}-0/partition.metadata`, 8 * 14],
  ])(
    'in %s of a follower is set aside and fetched anew, and the replica is in sync again',
    async (_, path, bit) => {
      const cluster = await withValues();
      const two = cluster.get(2);
      two.kill('process');
      await cluster.run(1_000);
      two.environment.files.flipBit(path, bit);
      await cluster.finish(two.start());
      expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
      expect(await two.contents()).toEqual(VALUES);
      expect(kept(two)).toHaveLength(1);
      expect(cluster.registration().directories).toEqual([DIRECTORY, DIRECTORY]);
      await cluster.finish(cluster.get(1).produce(['d']));
      expect(await two.contents()).toEqual([...VALUES, 'd']);
    },
  );
});

describe('a log that is found damaged while it is used', () => {
  it.each([1, 2])('on broker %i of two is fetched anew from the other one', async (id) => {
    const cluster = await withValues();
    damage(cluster.get(id));
    expect(await cluster.until(() => cluster.registration().isr.length === 1, 1_000)).toBe(true);
    expect(cluster.registration()).toMatchObject({ isr: [3 - id], leader: 3 - id });
    expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
    expect(await cluster.get(id).contents()).toEqual(VALUES);
    expect(kept(cluster.get(id))).toHaveLength(1);
    expect(cluster.get(id).environment.exit.ends).toEqual([]);
  });

  it('loses nothing that is acknowledged meanwhile', async () => {
    const cluster = await withValues({ brokers: 3, assignments: [[1, 2, 3]] });
    const acknowledged = [...VALUES];
    for (const id of [2, 1, 3]) {
      damage(cluster.get(id));
      for (let i = 0; i < 40; i++) {
        const { leader } = cluster.registration();
        const reply =
          leader < 0 ? undefined : await cluster.finish(cluster.get(leader).produce([`${id} ${i}`]));
        if (reply?.error === 'NONE') acknowledged.push(`${id} ${i}`);
        await cluster.run(20);
      }
      expect(await cluster.until(() => isWhole(cluster, 3), 20_000)).toBe(true);
    }
    for (const broker of cluster.brokers) {
      const contents = await broker.contents();
      expect(contents.filter((value) => acknowledged.includes(value))).toEqual(acknowledged);
    }
  });

  it('is no leader that a follower is compared with: it would cut what it alone has', async () => {
    const cluster = await withValues();
    const from = { brokerId: 2, brokerEpoch: cluster.get(2).epoch };
    const partition = cluster.get(1).replica();
    const known = partition.state.followers.get(2)?.flushedOffset;
    damage(cluster.get(1));
    const fetch = { topicId: TOPIC_ID, partition: 0, currentLeaderEpoch: partition.state.leaderEpoch };
    const end = { fetchOffset: 9, flushedOffset: 9, lastFetchedEpoch: 0, logStartOffset: 0, maxBytes: 1 };
    expect(partition.state.isLeader).toBe(true);
    expect(partition.handleFollowerFetch(from, { ...fetch, ...end })).toMatchObject({
      kind: 'refused',
      error: 'KAFKA_STORAGE_ERROR',
    });
    const agreed = { ...fetch, ...end, fetchOffset: 3, flushedOffset: 1 };
    expect(partition.handleFollowerFetch(from, agreed)).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' });
    expect(partition.state.followers.get(2)?.flushedOffset).toBe(known);
  });

  it('again leaves one copy of its files, the latest', async () => {
    const cluster = await withValues();
    for (let i = 0; i < 3; i++) {
      damage(cluster.get(2));
      await cluster.until(() => !isWhole(cluster), 1_000);
      expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
    }
    expect(kept(cluster.get(2))).toHaveLength(1);
  });

  it('is told until the controller has heard of it', async () => {
    const cluster = await withValues();
    cluster.assignFailures.push(new ApiError('NOT_CONTROLLER'), new Error('lost on the way'));
    damage(cluster.get(2));
    expect(await cluster.until(() => !isWhole(cluster), 1_000)).toBe(true);
    expect(cluster.assigned.length).toBe(3);
    expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
  });

  it('keeps its files until the metadata have taken it out of the set, however late they come', async () => {
    const cluster = await withValues();
    const two = cluster.get(2);
    two.held = true;
    damage(two);
    await cluster.run(5_000);
    expect(cluster.registration().isr).toEqual([1]);
    expect(kept(two)).toEqual([]);
    two.held = false;
    two.tell();
    expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
  });

  it('whose broker dies at any moment on the way is whole in the end, and counts as in sync only then', async () => {
    for (let moment = 0; moment < 24; moment++) {
      const cluster = await withValues();
      const two = cluster.get(2);
      two.environment.files.flipBit(LOG, 8 * 100);
      damage(two);
      await cluster.run(moment);
      two.kill(moment % 2 === 0 ? 'power' : 'process');
      await cluster.run(50);
      await cluster.finish(two.start());
      const whole = await cluster.until(() => isWhole(cluster), 20_000);
      expect(whole, `moment ${moment}`).toBe(true);
      expect(await two.contents(), `moment ${moment}`).toEqual(VALUES);
    }
  });
});

describe('a log that is damaged again while it is fetched anew', () => {
  it('is set aside again, though the controller has not heard of the new one yet', async () => {
    const cluster = await withValues();
    const two = cluster.get(2);
    damage(two);
    const isLost = (): boolean => cluster.registration().directories[1] === LOST_DIRECTORY;
    expect(await cluster.until(isLost, 1_000)).toBe(true);
    cluster.assignFailures.push(new Error('lost'), new Error('lost'));
    expect(await cluster.until(() => kept(two).length === 1, 1_000)).toBe(true);
    expect(await cluster.until(() => two.manager.find(TOPIC, 0) !== undefined, 1_000)).toBe(true);
    damage(two);
    expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
    expect(await two.contents()).toEqual(VALUES);
    expect(kept(two)).toHaveLength(1);
  });
});

describe('a topic that is deleted', () => {
  it('takes the damaged copies of its logs with it', async () => {
    const cluster = await withValues();
    damage(cluster.get(2));
    await cluster.until(() => !isWhole(cluster), 1_000);
    expect(await cluster.until(() => isWhole(cluster), 20_000)).toBe(true);
    expect(kept(cluster.get(2))).toHaveLength(1);
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    await cluster.settled();
    expect(kept(cluster.get(2))).toEqual([]);
  });

  it('takes a log with it that does not say whose it is', async () => {
    const cluster = await withValues();
    cluster.fence(2);
    const one = cluster.get(1);
    one.kill('process');
    one.environment.files.flipBit(`data/${TOPIC}-0/partition.metadata`, 8 * 14);
    await cluster.finish(one.start());
    await cluster.run(1_000);
    expect(cluster.registration()).toMatchObject({ isr: [1], leader: -1 });
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    await cluster.settled();
    await cluster.run(120_000);
    expect(one.environment.files.paths().filter((path) => path.includes(`/${TOPIC}-0`))).toEqual([]);
  });

  it('and made again under its name is not taken for the one whose log does not say whose it is', async () => {
    const cluster = await withValues({ brokers: 1, assignments: [[1]] });
    const one = cluster.get(1);
    one.kill('process');
    one.environment.files.flipBit(`data/${TOPIC}-0/partition.metadata`, 8 * 14);
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    await cluster.finish(one.start());
    cluster.createTopic([[1]]);
    await cluster.settled();
    expect(await cluster.finish(one.produce(['new']))).toMatchObject({ error: 'NONE', baseOffset: 0 });
    expect(await one.contents()).toEqual(['new']);
    // Nothing proves that the old one is nobody's any more.
    expect(one.environment.files.paths().filter((path) => /-(stray|damaged)$/.test(path))).toHaveLength(1);
  });
});

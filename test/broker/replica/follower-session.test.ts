import { describe, expect, it } from 'vitest';
import type {
  ReplicaFetchPartition,
  ReplicaFetchReply,
  ReplicaFetchRequest,
} from '../../../src/rpc/api/index.ts';
import { TestCluster, TOPIC_ID } from './cluster.ts';

/** A follower by hand: broker 2 as the leader, broker 1, sees it. */
class HandFollower {
  readonly replies: ReplicaFetchReply[] = [];
  ended: { error: Error | undefined } | undefined;
  readonly #cluster: TestCluster;
  readonly #requests;
  #correlationId = 0;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    const replies = {
      send: (reply: ReplicaFetchReply) => {
        this.replies.push(reply);
        return true;
      },
      drained: () => Promise.resolve(),
      end: (error?: Error) => {
        this.ended ??= { error };
      },
    };
    const call = { peer: 'test', signal: new AbortController().signal };
    this.#requests = cluster.get(1).manager.replicaFetch(replies, call);
  }

  send(partitions: Partial<ReplicaFetchPartition>[], overrides: Partial<ReplicaFetchRequest> = {}): void {
    if (overrides.ack !== true) this.#correlationId++;
    this.#requests.send({
      correlationId: this.#correlationId,
      brokerId: 2,
      brokerEpoch: this.#cluster.get(2).epoch,
      ack: false,
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1 << 20,
      forget: [],
      partitions: partitions.map((one) => ({
        topicId: TOPIC_ID,
        partition: 0,
        currentLeaderEpoch: 0,
        fetchOffset: 0,
        flushedOffset: 0,
        lastFetchedEpoch: -1,
        logStartOffset: 0,
        maxBytes: 1 << 20,
        ...one,
      })),
      ...overrides,
    });
  }

  get last() {
    return this.replies.at(-1)?.partitions[0];
  }
}

/** Broker 1 leads, broker 2 is a replica without a process. */
async function leaderOnly(assignments = [[1, 2]]): Promise<TestCluster> {
  const cluster = await TestCluster.start({ brokers: 2, assignments });
  await cluster.run(20);
  cluster.network.kill('broker-2');
  cluster.get(2).alive = false;
  await cluster.finish(cluster.get(2).manager.close());
  await cluster.run(20);
  return cluster;
}

const progressOf = (cluster: TestCluster) => cluster.get(1).replica().state.followers.get(2);

describe('a replica fetch at the leader', () => {
  it('is parked until there are records, and then answered at once with those of the tail', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    follower.send([{}]);
    follower.send([]);
    const before = follower.replies.length;
    await cluster.run(100);
    expect(follower.replies).toHaveLength(before);
    void cluster.get(1).produce(['a'], { acks: 1 });
    await cluster.run(0);
    expect(follower.last).toMatchObject({ error: 'NONE', highWatermark: 0 });
    expect(follower.last?.batches).toHaveLength(1);
  });

  it('is answered with nothing after its time', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    follower.send([{}]);
    follower.send([]);
    await cluster.run(600);
    expect(follower.replies.at(-1)).toEqual({ correlationId: 2, partitions: [] });
  });

  it('is answered once for all that is appended in one turn', async () => {
    const cluster = await leaderOnly([
      [1, 2],
      [1, 2],
    ]);
    const follower = new HandFollower(cluster);
    follower.send([{}, { partition: 1 }]);
    follower.send([]);
    const before = follower.replies.length;
    void cluster.get(1).produce(['a'], { acks: 1 });
    void cluster.get(1).produce(['b'], { acks: 1, partition: 1 });
    await cluster.run(1);
    expect(follower.replies.length).toBe(before + 1);
    expect(follower.replies.at(-1)?.partitions).toHaveLength(2);
  });

  it('sends records once, until the follower lists the partition again', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    await cluster.finish(cluster.get(1).produce(['a'], { acks: 1 }));
    follower.send([{}]);
    expect(follower.last?.batches).toHaveLength(1);
    follower.send([]);
    await cluster.finish(cluster.get(1).produce(['b'], { acks: 1 }));
    await cluster.run(100);
    expect(follower.replies).toHaveLength(1);
    follower.send([{ fetchOffset: 1, lastFetchedEpoch: 0 }]);
    expect(follower.replies).toHaveLength(3);
    expect(follower.replies[1]).toEqual({ correlationId: 2, partitions: [] });
    expect(follower.last?.batches).toHaveLength(1);
  });

  it('that diverges changes nothing, and neither do the acknowledgements after it', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    for (const value of ['a', 'b']) await cluster.finish(cluster.get(1).produce([value], { acks: 1 }));
    cluster.elect(1, [1, 2]);
    await cluster.finish(cluster.get(1).produce(['c'], { acks: 1 }));
    const claim = { currentLeaderEpoch: 1, fetchOffset: 3, flushedOffset: 3, lastFetchedEpoch: 0 };
    follower.send([claim]);
    expect(follower.last).toMatchObject({ error: 'NONE', divergingEpoch: { epoch: 0, endOffset: 2 } });
    follower.send([claim], { ack: true });
    expect(progressOf(cluster)).toMatchObject({ endOffset: -1, flushedOffset: -1 });
    expect(cluster.get(1).replica().log.highWatermark).toBe(0);
  });

  it('counts what is acknowledged at once, when it can be true', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    await cluster.finish(cluster.get(1).produce(['a'], { acks: 1 }));
    await cluster.run(10);
    follower.send([{}]);
    const ack = { fetchOffset: 1, lastFetchedEpoch: 0 };
    follower.send([{ ...ack, fetchOffset: 9, flushedOffset: 9 }], { ack: true });
    expect(cluster.get(1).replica().log.highWatermark).toBe(0);
    follower.send([{ ...ack, currentLeaderEpoch: -1, flushedOffset: 1 }], { ack: true, brokerEpoch: 999 });
    expect(follower.ended).toBeDefined();
    const again = new HandFollower(cluster);
    again.send([{}]);
    again.send([{ ...ack, flushedOffset: 1 }], { ack: true });
    expect(cluster.get(1).replica().log.highWatermark).toBe(1);
  });

  it.each([
    { listed: 'for the first time', before: false },
    { listed: 'in a new epoch', before: true },
  ])(
    'that lists a partition $listed, behind a read, has the acknowledgement that overtakes it',
    async ({ before }) => {
      const cluster = await leaderOnly([
        [1, 2],
        [1, 2],
      ]);
      for (const partition of [0, 1])
        await cluster.finish(cluster.get(1).produce(['a'], { acks: 1, partition }));
      cluster.get(1).kill('process');
      await cluster.finish(cluster.get(1).start());
      for (const partition of [0, 1]) cluster.elect(1, [1, 2], partition);
      await cluster.run(10);
      const follower = new HandFollower(cluster);
      const epochOf = (id: number) => cluster.get(1).replica(id).state.leaderEpoch;
      const atEnd = () => ({ currentLeaderEpoch: epochOf(0), fetchOffset: 1, lastFetchedEpoch: 0 });
      if (before) {
        follower.send([atEnd()]);
        await cluster.run(10);
        cluster.elect(1, [1, 2]);
        await cluster.run(10);
      }
      follower.send([{ partition: 1, currentLeaderEpoch: epochOf(1) }]);
      follower.send([atEnd()]);
      follower.send([{ ...atEnd(), flushedOffset: 1 }], { ack: true });
      expect(progressOf(cluster)?.flushedOffset).not.toBe(1);
      await cluster.run(10);
      expect(progressOf(cluster)).toMatchObject({ endOffset: 1, flushedOffset: 1 });
    },
  );

  it('tells a follower outside of its log where that begins and ends', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    await cluster.finish(cluster.get(1).produce(['a'], { acks: 1 }));
    follower.send([{ fetchOffset: 50 }]);
    expect(follower.last).toMatchObject({
      error: 'OFFSET_OUT_OF_RANGE',
      logStartOffset: 0,
      divergingEpoch: { epoch: 0, endOffset: 1 },
    });
  });

  it.each([
    [{ currentLeaderEpoch: 5 }, 'UNKNOWN_LEADER_EPOCH'],
    [{ partition: 8 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ])('of %o is refused with %s', async (fields, error) => {
    const follower = new HandFollower(await leaderOnly());
    follower.send([fields]);
    expect(follower.last?.error).toBe(error);
  });

  it('that is refused for its epoch is counted', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    follower.send([{ currentLeaderEpoch: 5 }]);
    expect(cluster.get(1).environment.metrics.value('broker_fetches_refused_total')).toBe(1);
  });

  it('is refused by partition once leadership has moved, without waiting', async () => {
    const cluster = await leaderOnly();
    const follower = new HandFollower(cluster);
    follower.send([{}]);
    follower.send([]);
    cluster.elect(2, [1, 2]);
    await cluster.run(1);
    expect(follower.last?.error).toBe('FENCED_LEADER_EPOCH');
  });

  it('ends the stream when a frame is missing', async () => {
    const follower = new HandFollower(await leaderOnly());
    follower.send([{}]);
    follower.send([], { correlationId: 9 });
    expect(follower.ended?.error?.message).toBe('frame 9 follows 1');
  });

  it('on a new stream ends the old one, and never the other way round', async () => {
    const cluster = await leaderOnly();
    const old = new HandFollower(cluster);
    old.send([{}]);
    const next = new HandFollower(cluster);
    next.send([{}], { brokerEpoch: cluster.get(2).epoch + 1 });
    expect(old.ended).toBeDefined();
    const late = new HandFollower(cluster);
    late.send([{}]);
    expect(late.ended?.error).toMatchObject({ code: 'STALE_BROKER_EPOCH' });
    expect(next.ended).toBeUndefined();
  });
});

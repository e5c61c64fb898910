import { describe, expect, it } from 'vitest';
import { TestCluster, TOPIC } from './cluster.ts';

const twoReplicas = { brokers: 2, assignments: [[1, 2]] };

describe('a log that is damaged when the broker starts', () => {
  it('ends the broker before it leads, and its followers keep what they have', async () => {
    const cluster = await TestCluster.start(twoReplicas);
    for (const value of ['a', 'b']) await cluster.finish(cluster.get(1).produce([value]));
    await cluster.run(6_000);
    cluster.fence(2);
    const one = cluster.get(1);
    one.kill('process');
    one.environment.files.flipBit(`data/${TOPIC}-0/00000000000000000000.log`, 8 * 100);
    await cluster.finish(one.start());
    expect(one.replica().log.failure).toBeDefined();
    await cluster.run(1_000);
    expect(await cluster.get(2).contents()).toEqual(['a', 'b']);
    expect(one.environment.exit.ends.map(({ reason }) => reason)).toEqual(['storage']);
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
    expect(fetched?.error).toBe('KAFKA_STORAGE_ERROR');
    const listed = one.manager.listOffset(
      { topic: TOPIC, partition: 0, currentLeaderEpoch: -1, timestampMs: -1 },
      'read_uncommitted',
    );
    expect((await cluster.finish(listed)).error).toBe('KAFKA_STORAGE_ERROR');
  });
});

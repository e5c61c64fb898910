import { describe, expect, it } from 'vitest';
import { TestCluster } from './cluster.ts';

const RECORD = 'x'.repeat(3_000);

/** The follower was away while both partitions got `records` of 3 kB; a reply has room for one of them and a bit. */
async function behind(records: number, tailCache: 'memory' | 'disk'): Promise<TestCluster> {
  const cluster = await TestCluster.start({
    brokers: 2,
    assignments: [
      [1, 2],
      [1, 2],
    ],
    properties: { 'replica.fetch.response.max.bytes': '5000', 'replica.fetch.max.bytes': '4000' },
  });
  cluster.get(2).kill();
  cluster.fence(2);
  for (let i = 0; i < records; i++)
    for (const partition of [0, 1]) await cluster.finish(cluster.get(1).produce([RECORD], { partition }));
  if (tailCache === 'disk') {
    cluster.get(1).kill('process');
    await cluster.finish(cluster.get(1).start());
  }
  return cluster;
}

describe.each(['memory', 'disk'] as const)('a follower that catches up from %s', (from) => {
  it('gets every partition, also one whose next batch had no room in a reply', async () => {
    const cluster = await behind(2, from);
    await cluster.finish(cluster.get(2).start());
    const { manager } = cluster.get(2);
    await cluster.run(1_000);
    expect([0, 1].map((id) => manager.find('orders', id)?.log.logEndOffset)).toEqual([2, 2]);
  });

  it('gets batches that are larger than what it asks for of one partition', async () => {
    const cluster = await TestCluster.start({
      brokers: 2,
      assignments: [
        [1, 2],
        [1, 2],
      ],
      properties: { 'replica.fetch.max.bytes': '2000' },
    });
    cluster.get(2).kill();
    cluster.fence(2);
    for (const partition of [0, 1]) await cluster.finish(cluster.get(1).produce([RECORD], { partition }));
    if (from === 'disk') {
      cluster.get(1).kill('process');
      await cluster.finish(cluster.get(1).start());
    }
    await cluster.finish(cluster.get(2).start());
    await cluster.run(1_000);
    expect([0, 1].map((id) => cluster.get(2).manager.find('orders', id)?.log.logEndOffset)).toEqual([1, 1]);
  });
});

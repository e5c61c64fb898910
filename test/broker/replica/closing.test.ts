import { describe, expect, it } from 'vitest';
import { TestCluster } from './cluster.ts';

/** Closes the replicas of broker `id`; gives the timers that are set a while later. */
async function close(cluster: TestCluster, id: number): Promise<number> {
  const { manager, environment } = cluster.get(id);
  await cluster.finish(manager.close());
  const pending = [environment.timers.pending];
  await cluster.run(5_000);
  return Math.max(...pending, environment.timers.pending);
}

describe('a broker whose replicas are closed', () => {
  it('does not ask again for a change of an in-sync set', async () => {
    const cluster = await TestCluster.start({ brokers: 2 });
    cluster.get(2).kill();
    await cluster.finish(cluster.get(1).produce(['a'], { acks: 1 }));
    cluster.alterFailures.push(new Error('nobody answers'));
    expect(await cluster.until(() => cluster.altered.length === 1)).toBe(true);
    await cluster.run(5);
    expect(await close(cluster, 1)).toBe(0);
    expect(cluster.altered).toHaveLength(1);
  });

  it('does not begin what metadata said while the disk was busy', async () => {
    const diskMs = (operation: string): number => (operation === 'truncate' ? 100 : 0.5);
    const cluster = await TestCluster.start({ brokers: 2, diskMs });
    cluster.network.cut('broker-2', 'broker-1');
    cluster.elect(2, [2]);
    await cluster.finish(cluster.get(2).produce(['only here'], { acks: 1 }));
    cluster.network.heal();
    cluster.elect(1, [1]);
    const two = cluster.get(2);
    const found = (text: string) => two.environment.logger.find(text);
    expect(await cluster.until(() => found('cutting the log where it diverges').length > 0)).toBe(true);
    cluster.elect(1, [1]);
    expect(await close(cluster, 2)).toBe(0);
  });

  it('does not try again to make a log', async () => {
    const diskMs = (operation: string): number => (operation === 'make-directory' ? 100 : 0.5);
    const cluster = new TestCluster({ brokers: 1, diskMs });
    await cluster.finish(cluster.get(1).start());
    cluster.get(1).environment.files.failNext({
      operation: 'make-directory',
      path: 'data/',
      reason: 'disk-full',
    });
    cluster.createTopic([[1]]);
    expect(await close(cluster, 1)).toBe(0);
  });
});

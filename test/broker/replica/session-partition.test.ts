import { expect, it } from 'vitest';
import { SessionPartition } from '../../../src/broker/replica/session-partition.ts';
import { TestCluster, TOPIC_ID } from './cluster.ts';

it('an acknowledgement counts only in the epoch of the listing that was compared with the log', async () => {
  const cluster = await TestCluster.start({ brokers: 2 });
  await cluster.finish(cluster.get(1).produce(['a', 'b']));
  const from = { brokerId: 2, brokerEpoch: cluster.get(2).epoch };
  cluster.get(2).kill();
  const partition = cluster.get(1).replica();
  const listing = {
    topicId: TOPIC_ID,
    partition: 0,
    currentLeaderEpoch: 0,
    fetchOffset: 2,
    flushedOffset: 1,
    lastFetchedEpoch: 0,
    logStartOffset: 0,
    maxBytes: 1000,
  };
  const entry = new SessionPartition(listing, () => {});
  entry.list(listing, partition, from);
  entry.acknowledge({ ...listing, flushedOffset: 2 }, from);
  expect(partition.state.followers.get(2)?.flushedOffset).toBe(2);
  cluster.elect(1, [1, 2]);
  // Its listing in the new epoch still waits to be compared; the log may have been cut and differ.
  entry.acknowledge({ ...listing, currentLeaderEpoch: 1, flushedOffset: 2 }, from);
  expect(partition.state.followers.get(2)?.flushedOffset).toBe(-1);
});

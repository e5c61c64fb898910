import { expect, it } from 'vitest';
import { SessionPartition } from '../../../src/broker/replica/session-partition.ts';
import { TestCluster, TOPIC_ID } from './cluster.ts';

const LISTING = {
  topicId: TOPIC_ID,
  partition: 0,
  currentLeaderEpoch: 0,
  fetchOffset: 2,
  flushedOffset: 1,
  lastFetchedEpoch: 0,
  logStartOffset: 0,
  maxBytes: 1000,
};

it('an acknowledgement counts only in the epoch of the listing that was compared with the log', async () => {
  const cluster = await TestCluster.start({ brokers: 2 });
  await cluster.finish(cluster.get(1).produce(['a', 'b']));
  const from = { brokerId: 2, brokerEpoch: cluster.get(2).epoch };
  cluster.get(2).kill();
  const partition = cluster.get(1).replica();
  const entry = new SessionPartition(LISTING, () => {});
  entry.list(LISTING, partition, from);
  entry.acknowledge({ ...LISTING, flushedOffset: 2 }, from);
  expect(partition.state.followers.get(2)?.flushedOffset).toBe(2);
  cluster.elect(1, [1, 2]);
  // Its listing in the new epoch still waits to be compared; the log may have been cut and differ.
  entry.acknowledge({ ...LISTING, currentLeaderEpoch: 1, flushedOffset: 2 }, from);
  expect(partition.state.followers.get(2)?.flushedOffset).toBe(-1);
});

it('a follower that stands where it stood is told again what it was told, and one that has got on is not', async () => {
  const cluster = await TestCluster.start({ brokers: 2 });
  await cluster.finish(cluster.get(1).produce(['a', 'b']));
  const from = { brokerId: 2, brokerEpoch: cluster.get(2).epoch };
  cluster.get(2).kill();
  const partition = cluster.get(1).replica();
  const begun = { ...LISTING, fetchOffset: 0 };
  const entry = new SessionPartition(begun, () => {});
  entry.list(begun, partition, from);
  const told = await cluster.finish(Promise.resolve(entry.answer(1000, true)));
  expect(told).toMatchObject({ error: 'NONE', highWatermark: 2 });
  entry.list(LISTING, partition, from);
  expect(entry.weigh()).toBe('nothing');
  entry.list(LISTING, partition, from);
  expect(entry.weigh()).toBe('notice');
});

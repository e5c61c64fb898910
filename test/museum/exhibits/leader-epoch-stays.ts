import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a new leader is named without a new leader epoch',
  source: 'KIP-101; Kafka PartitionChangeBuilder',
  edits: [
    {
      file: 'src/metadata/image/partition.ts',
      find: 'leaderEpoch: change.leader === undefined ? old.leaderEpoch : old.leaderEpoch + 1,',
      replace: 'leaderEpoch: old.leaderEpoch,',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

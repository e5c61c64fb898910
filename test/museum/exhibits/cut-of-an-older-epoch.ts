import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a truncation that was decided in an older epoch is carried out in a newer one',
  source: 'KIP-101; KAFKA-8046',
  edits: [
    {
      file: 'src/broker/replica/replica-set.ts',
      find: 'const isCurrent = !state.isLeader && state.leaderEpoch === leaderEpoch;',
      replace: 'const isCurrent = leaderEpoch <= state.leaderEpoch;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

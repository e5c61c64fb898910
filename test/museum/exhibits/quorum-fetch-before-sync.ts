import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a voter claims entries that it has not synced',
  source: 'KAFKA-10533',
  edits: [
    {
      file: 'src/raft/core/fetching.ts',
      find: ' || !q.log.isDurable) return;',
      replace: ') return;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

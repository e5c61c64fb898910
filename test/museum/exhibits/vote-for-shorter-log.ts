import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a vote is given to a candidate whose log is shorter',
  source: 'Raft §5.4.1',
  edits: [
    {
      file: 'src/raft/core/voting.ts',
      find: 'return lastEpoch > mine || (lastEpoch === mine && lastOffset >= q.log.endOffset);',
      replace: 'return lastEpoch >= mine;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a leader that is cut off leads on for ever',
  source: 'KAFKA-15489; KIP-595',
  edits: [
    {
      file: 'src/raft/core/roles/leader.ts',
      find: 'return q.voters.keys.length > 1 && q.nowMs >= leader.checkQuorumMs;',
      replace: 'return q.voters.keys.length > 99 && q.nowMs >= leader.checkQuorumMs;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

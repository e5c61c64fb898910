import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a quorum leader counts a voter by a fetch whose log diverges',
  source: 'KAFKA-15100; KIP-595',
  edits: [
    {
      file: 'src/raft/core/serving.ts',
      find: `  const leader = q.role;
  const diverging`,
      replace: `  const leader = q.role;
  recordFetch(q, leader, request);
  const diverging`,
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

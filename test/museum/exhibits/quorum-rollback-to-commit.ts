import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'on a conflict a follower rolls back to what it knows as committed',
  source: 'vesoft-inc/nebula#2483',
  edits: [
    {
      file: 'src/raft/core/fetching.ts',
      find: 'const offset = q.log.truncationPoint(reply.divergingEpoch);',
      replace: 'const offset = Math.max(0, q.highWatermark);',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

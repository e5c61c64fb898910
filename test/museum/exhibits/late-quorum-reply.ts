import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a reply to a fetch that was given up is used',
  source: 'databendlabs/openraft#1501',
  edits: [
    {
      file: 'src/raft/core/fetching.ts',
      find: `    (asked.kind === 'follower' || asked.kind === 'observer') && asked.fetch.requestId === requestId;`,
      replace: `    asked.kind === 'follower' || asked.kind === 'observer';`,
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

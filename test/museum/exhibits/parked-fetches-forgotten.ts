import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'fetches that wait at a leader are never answered when it steps down',
  source: 'KAFKA-10677',
  edits: [
    {
      file: 'src/raft/core/raft-core.ts',
      find: `    if (parked !== undefined && q.role.kind !== 'leader') refuseParked(q, parked.values());
`,
      replace: '',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

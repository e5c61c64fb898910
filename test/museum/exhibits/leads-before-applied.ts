import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a controller is told that it leads before it was handed what is committed',
  source: 'redpanda#5090',
  edits: [
    {
      file: 'src/raft/node/feed.ts',
      find: `    if (this.#nextOffset <= leading.epochStartOffset) return;
`,
      replace: '',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a vote is given and not written down',
  source: 'Raft figure 2, votedFor',
  edits: [
    {
      file: 'src/raft/core/quorum.ts',
      find: `    this.#votedFor = candidate;
    this.persistence.hardStateChanged();`,
      replace: '    this.#votedFor = candidate;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

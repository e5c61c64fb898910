import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a restarted node does not remember whom it voted for',
  source: 'Raft figure 2, votedFor; hashicorp/raft#661',
  edits: [
    {
      file: 'src/raft/core/quorum.ts',
      find: 'this.#votedFor = isBehindLog ? undefined : hardState.votedFor;',
      replace: 'this.#votedFor = undefined;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

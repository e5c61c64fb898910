import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a step down within an epoch erases the vote',
  source: 'redpanda#19; Raft §5.2',
  edits: [
    {
      file: 'src/raft/core/quorum.ts',
      find: 'const votedFor = ballotry.votedFor ?? (isHigher ? undefined : this.#votedFor);',
      replace: `const votedFor = ballotry.votedFor ?? (isHigher || role.kind === 'unattached' ? undefined : this.#votedFor);`,
    },
    {
      file: 'src/raft/core/quorum.ts',
      find: 'cast === undefined || (votedFor !== undefined && sameVoter(cast, votedFor)),',
      replace: 'cast === undefined || votedFor === undefined || sameVoter(cast, votedFor),',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 6000,
};

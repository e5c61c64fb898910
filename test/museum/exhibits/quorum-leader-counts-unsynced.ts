import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a quorum leader counts itself for what it has not synced',
  source: 'etcd#14370; KAFKA-10533',
  edits: [
    {
      file: 'src/raft/core/roles/leader.ts',
      find: 'if (sameVoter(key, q.self)) return q.log.flushedOffset;',
      replace: 'if (sameVoter(key, q.self)) return q.log.endOffset;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

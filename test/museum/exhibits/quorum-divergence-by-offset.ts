import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'logs are compared by offsets, the epochs of their ends are not',
  source: 'Raft §5.3; KIP-279, KIP-595',
  edits: [
    {
      file: 'src/raft/core/raft-log.ts',
      find: 'return end.epoch !== lastEpoch || end.endOffset < offset ? end : undefined;',
      replace: 'return end.endOffset < offset ? end : undefined;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

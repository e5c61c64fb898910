import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a leader commits entries of earlier epochs by counting replicas',
  source: 'Raft §5.4.2, figure 8; logcabin#44',
  edits: [
    {
      file: 'src/raft/core/roles/leader.ts',
      find: 'if (offset <= leader.epochStartOffset || offset <= leader.highWatermark) return;',
      replace: 'if (offset <= leader.highWatermark) return;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

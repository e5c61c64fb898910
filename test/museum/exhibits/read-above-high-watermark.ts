import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'consumers read what is not committed',
  source: 'KIP-98, read_uncommitted; Jepsen G1a',
  edits: [
    {
      file: 'src/broker/replica/consumer-fetches.ts',
      find: `const upperBound = isolation === 'read_committed' ? snapshot.lastStableOffset : snapshot.highWatermark;`,
      replace: `const upperBound = isolation === 'read_committed' ? log.logEndOffset : log.logEndOffset;`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

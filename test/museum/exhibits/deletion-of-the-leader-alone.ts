import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a deletion of records is answered when the leader alone has done it',
  source: 'KIP-107; a mutant of low-watermark.ts',
  edits: [
    {
      file: 'src/broker/replica/core/low-watermark.ts',
      find: 'low = Math.min(low, logStartOffset);',
      replace: 'low = Math.max(low, Math.min(low, logStartOffset));',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a batch whose offset alone a crash has torn off is taken for damage of what was synced',
  source: 'Quorate cc45e3d',
  edits: [
    {
      file: 'src/log/segment/segment-scan.ts',
      find: 'const isMisplaced = range.verify && !isTornOffset(bytes, at, position);',
      replace: 'const isMisplaced = range.verify;',
    },
  ],
  killedBy: { test: 'test/log/recovery.test.ts' },
  seedsMax: 200,
};

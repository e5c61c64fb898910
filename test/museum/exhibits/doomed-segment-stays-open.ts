import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a segment that could not be renamed has left its log, and its file stays open',
  source: 'Quorate bf14d3f',
  edits: [
    {
      file: 'src/log/segment/doomed-segment.ts',
      find: `    await close().catch(() => {});
    throw error;`,
      replace: '    throw error;',
    },
  ],
  killedBy: { test: 'test/log/retention.test.ts' },
  seedsMax: 200,
};

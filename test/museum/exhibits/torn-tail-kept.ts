import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a torn tail is left in the file, and appends go on behind it',
  source: 'LevelDB log format; KAFKA-2012',
  edits: [
    {
      file: 'src/log/open/open-log.ts',
      find: `      await handle.truncate(end.position);
      segment.sizeBytes = end.position;
      segment.writtenBytes = end.position;
`,
      replace: '',
    },
  ],
  killedBy: { test: 'test/log/recovery.test.ts' },
  seedsMax: 200,
};

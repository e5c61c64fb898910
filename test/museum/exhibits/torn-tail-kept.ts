import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a torn tail is left in the file, and appends go on behind it',
  source: 'LevelDB log format; KAFKA-2012',
  edits: [
    {
      file: 'src/log/open/open-log.ts',
      find: `      await handle.truncate(end.position);
`,
      replace: '',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

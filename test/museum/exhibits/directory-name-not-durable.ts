import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the name of a data directory is lost with the power',
  source: 'Quorate d4b8bd5',
  edits: [
    {
      file: 'src/env/durable-directory.ts',
      find: '      await files.syncDirectory(parent);',
      replace: '      if (isOurs) await files.syncDirectory(at);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a restart forgets the producers',
  source: 'KIP-98, producer snapshots',
  edits: [
    {
      file: 'src/log/open/open-log.ts',
      find: 'const producers = await rebuildProducers(segments, logEndOffset, logger, snapshots);',
      replace: `const producers = await rebuildProducers(segments, logEndOffset, logger, snapshots);
  producers.clear();`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

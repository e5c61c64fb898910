import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title:
    'a new active controller leaves partitions without a leader that its predecessor was about to give one',
  source: 'Quorate e40f305',
  edits: [
    {
      file: 'src/metadata/controller/activation.ts',
      find: 'const elections = recordsForLeaderless(image, undefined, config.staticConfig);',
      replace: 'const elections = recordsForLeaderless(image, undefined, config.staticConfig).slice(0, 0);',
    },
  ],
  killedBy: { test: 'test/metadata/controller/brokers.test.ts' },
  seedsMax: 200,
};

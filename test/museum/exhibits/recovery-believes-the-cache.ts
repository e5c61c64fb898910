import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'what a killed process wrote is taken for durable by the next',
  source: 'Quorate c119b83; "fsyncgate", 2018',
  edits: [
    {
      file: 'src/log/open/open-log.ts',
      find: '    if (!isDurable) {',
      replace: '    if (!isDurable && end.problem !== undefined) {',
    },
  ],
  killedBy: { test: 'test/log/killed.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a node goes on after a metadata record that it could not apply',
  source: 'KAFKA-14275',
  edits: [
    {
      file: 'src/machine/machine.ts',
      find: '      throw new ReplayFailure(entry.offset, error);',
      replace: '      if (leading !== undefined) throw new ReplayFailure(entry.offset, error);',
    },
  ],
  killedBy: { test: 'test/machine/machine.test.ts' },
  seedsMax: 200,
};

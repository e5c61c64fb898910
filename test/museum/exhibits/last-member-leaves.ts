import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the last member in sync is taken out of the in-sync set',
  source: 'KIP-966; KAFKA-15021',
  edits: [
    {
      file: 'src/metadata/election/partition-change.ts',
      find: 'const isrChanges = isr.length > 0 && !isSameSet(isr, partition.isr);',
      replace: 'const isrChanges = !isSameSet(isr, partition.isr);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

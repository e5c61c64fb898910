import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'of each producer only the last batch is remembered',
  source: 'KAFKA-5494; redpanda#3039',
  edits: [
    {
      file: 'src/log/producer/producer-states.ts',
      find: 'const known = state.batches.find((b) => b.firstSequence === baseSequence && b.lastSequence === last);',
      replace:
        'const known = state.batches.slice(-1).find((b) => b.firstSequence === baseSequence && b.lastSequence === last);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

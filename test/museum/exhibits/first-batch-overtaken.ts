import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'other batches of a producer are on their way before a broker knows its first one',
  source: 'Quorate 9849415; KIP-98',
  edits: [
    {
      file: 'src/client/producer/partition-queue.ts',
      find: '    if (first !== undefined && first.identity !== undefined && !this.#isKnown) return Infinity;\n',
      replace: '',
    },
  ],
  killedBy: { test: 'test/client/producer/partition-queue.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a truncation keeps leader epochs of records that it took away',
  source: 'KAFKA-10706',
  edits: [
    {
      file: 'src/log/epoch/epoch-cache.ts',
      find: 'return this.#keep(this.#entries.filter((entry) => entry.startOffset < offset));',
      replace: 'return offset < 0 ? this.#keep([]) : false;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

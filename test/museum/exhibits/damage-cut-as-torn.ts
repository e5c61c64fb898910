import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a bad batch below the synced offset is cut like a torn tail',
  source: 'nats-server#7549; KAFKA-9491',
  edits: [
    {
      file: 'src/log/open/synced-part.ts',
      find: `    if (!this.#isReached)
      throw`,
      replace: `    if (!this.#isReached && end.problem === undefined)
      throw`,
    },
  ],
  killedBy: { test: 'test/log/recovery.test.ts' },
  seedsMax: 200,
};

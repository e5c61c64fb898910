import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'metadata that waited behind a cut of the log makes a broker that is closed follow again',
  source: 'Quorate 5801ed7',
  edits: [
    {
      file: 'src/broker/replica/replica-set.ts',
      find: 'if (this.#closed || (hosted === undefined && !isLatest)) return;',
      replace: 'if (hosted === undefined && (this.#closed || !isLatest)) return;',
    },
  ],
  killedBy: { test: 'test/broker/replica/closing.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the controller answers when its decision is appended, not when it is committed',
  source: 'redpanda#3003; Jepsen redis-raft',
  edits: [
    {
      file: 'src/machine/machine.ts',
      find: 'if (first === undefined || first.offset > this.#nextCommitted) return;',
      replace: 'if (first === undefined) return;',
    },
  ],
  killedBy: { test: 'test/machine/machine.test.ts' },
  seedsMax: 200,
};

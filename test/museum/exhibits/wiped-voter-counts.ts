import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a voter is known by its id only: one with a new disk votes and counts',
  source: 'etcd#21178; KIP-853, KAFKA-12181',
  edits: [
    {
      file: 'src/raft/core/voter-set.ts',
      find: 'return this.#byId.get(key.id)?.directoryId === key.directoryId;',
      replace: 'return this.#byId.has(key.id);',
    },
    {
      file: 'src/raft/core/voter-set.ts',
      find: 'return a.id === b.id && a.directoryId === b.directoryId;',
      replace: 'return a.id === b.id;',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

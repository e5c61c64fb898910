import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the state machine is handed entries before they are committed',
  source: 'Raft figure 2, lastApplied',
  edits: [
    {
      file: 'src/raft/core/raft-core.ts',
      find: 'return this.#q.log.readTail(from, maxBytes, this.#q.highWatermark);',
      replace: 'return this.#q.log.readTail(from, maxBytes);',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

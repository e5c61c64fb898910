import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'epoch and vote are told before they are durable',
  source: 'Raft figure 2; hashicorp/raft#661',
  edits: [
    {
      file: 'src/raft/core/persistence.ts',
      find: 'if (this.isHardStateDurable) this.#effects.push(message);',
      replace: 'if (this.#effects !== undefined) this.#effects.push(message);',
    },
  ],
  killedBy: 'sim:raft',
  seedsMax: 1000,
};

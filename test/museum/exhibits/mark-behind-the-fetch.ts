import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title:
    'a follower that trails by a third of the longest lag is removed: it is asked for what came after its fetch',
  source: 'Quorate, seed 103; KIP-16',
  edits: [
    {
      file: 'src/broker/replica/core/follower-progress.ts',
      find: 'this.#caughtUp(this.#markMs, this.#fetchedTo, this.#fetchMs);',
      replace: 'this.#caughtUp(this.#markMs, leaderEndOffset, nowMs);',
    },
  ],
  killedBy: { test: 'test/broker/replica/core/follower-progress.test.ts' },
  seedsMax: 200,
};

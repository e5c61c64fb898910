import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: `a fetch agrees when its offset is in the leader's log, whatever the epoch of its last record`,
  source: 'KAFKA-6361, KIP-279',
  edits: [
    {
      file: 'src/broker/replica/core/follower-fetch.ts',
      find: `if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return { kind: 'diverges', end };`,
      replace: `if (end.endOffset < fetchOffset) return { kind: 'diverges', end };`,
    },
  ],
  killedBy: { test: 'test/broker/replica/core/follower-fetch.test.ts' },
  seedsMax: 200,
};

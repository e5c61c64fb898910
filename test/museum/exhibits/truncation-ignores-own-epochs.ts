import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a follower cuts where the leader says, not where its own epoch ends',
  source: 'KAFKA-6361, KIP-279',
  edits: [
    {
      file: 'src/broker/replica/core/follower-fetch.ts',
      find: `  if (mine.epoch !== leader.epoch) return Math.min(mine.endOffset, endOffset);
`,
      replace: '',
    },
    {
      file: 'src/broker/replica/core/follower-fetch.ts',
      find: 'return Math.min(mine.endOffset, leader.endOffset, endOffset);',
      replace: 'return Math.min(leader.endOffset, endOffset);',
    },
  ],
  killedBy: { test: 'test/broker/replica/core/follower-fetch.test.ts' },
  seedsMax: 200,
};

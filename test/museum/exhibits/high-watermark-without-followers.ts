import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: `the high watermark is the leader's own flushed offset`,
  source: 'Jepsen Kafka 0.8 (aphyr.com/posts/293)',
  edits: [
    {
      file: 'src/broker/replica/core/high-watermark.ts',
      find: 'if (acked >= candidate) continue;',
      replace: 'if (acked >= candidate || acked < candidate) continue;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the high watermark of a leader follows a follower that fell back',
  source: 'KAFKA-3410; KIP-207',
  edits: [
    {
      file: 'src/broker/replica/core/high-watermark.ts',
      find: `    if (candidate <= local.highWatermark) return undefined;
`,
      replace: '',
    },
    {
      file: 'src/broker/replica/core/high-watermark.ts',
      find: 'return candidate > local.highWatermark ? candidate : undefined;',
      replace: 'return Math.max(0, candidate);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

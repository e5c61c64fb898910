import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'acks=all is taken when too few replicas are in sync',
  source: 'KAFKA-15583; KIP-966',
  edits: [
    {
      file: 'src/broker/replica/partition.ts',
      find: `    if (acks === -1 && state.isr.isr.length < state.effectiveMinIsr)
`,
      replace: `    if (acks === -1 && state.isr.isr.length < 1)
`,
    },
    {
      file: 'src/broker/replica/core/high-watermark.ts',
      find: 'if (!state.isLeader || state.isr.isr.length < state.effectiveMinIsr) return undefined;',
      replace: 'if (!state.isLeader) return undefined;',
    },
    {
      file: 'src/broker/replica/ack-waiters.ts',
      find: 'if (isr.maximal.length < effectiveMinIsr)',
      replace: 'if (isr.maximal.length < Math.min(1, effectiveMinIsr))',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the high watermark leaves a member behind as soon as its removal is asked for',
  source: 'KIP-497',
  edits: [
    {
      file: 'src/broker/replica/core/isr.ts',
      find: `return { kind: 'pending-shrink', isr, maximal: isr, proposed: narrower };`,
      replace: `return { kind: 'pending-shrink', isr, maximal: narrower, proposed: narrower };`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: DYING_LEADERS,
};

import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a follower joins the in-sync set by its log end instead of what it has synced',
  source: 'KIP-966',
  edits: [
    {
      file: 'src/broker/replica/core/isr-change.ts',
      find: `  const acked = progress.ackedOffset;
  if (acked < log`,
      replace: `  const acked = progress.endOffset;
  if (acked < log`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: DYING_LEADERS,
};

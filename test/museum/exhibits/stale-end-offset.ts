import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a new leader tells an end below what its predecessor showed',
  source: 'KIP-207',
  edits: [
    {
      file: 'src/broker/replica/offset-lookup.ts',
      find: '  if (!partition.highWatermarkIsStale) return;',
      replace: '  if (partition !== undefined) return;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: DYING_LEADERS,
};

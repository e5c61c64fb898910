import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a follower counts by its log end, which may be in its memory only',
  source: 'KIP-966; nats-server#7564',
  edits: [
    {
      file: 'src/broker/replica/core/follower-progress.ts',
      find: `  get ackedOffset(): Offset {
    return this.flushedOffset;`,
      replace: `  get ackedOffset(): Offset {
    return this.endOffset;`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: DYING_LEADERS,
};

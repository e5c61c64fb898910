import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a follower joins the in-sync set before it has reached the start of the leader epoch',
  source: 'KAFKA-7128',
  edits: [
    {
      file: 'src/broker/replica/core/isr-change.ts',
      find: 'if (acked < log.highWatermark || acked < state.epochStartOffset) return undefined;',
      replace: 'if (acked < log.highWatermark) return undefined;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: DYING_LEADERS,
};

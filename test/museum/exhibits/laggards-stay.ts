import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a leader never removes a follower for lagging: what waits for all waits as long as that one does',
  source: 'KIP-16; a mutant of isr-keeper.ts',
  edits: [
    {
      file: 'src/broker/replica/core/isr-change.ts',
      find: 'return progress !== undefined && !progress.isCaughtUp(endOffset, nowMs, lagMaxMs);',
      replace: 'return progress !== undefined && progress.ackedOffset > endOffset + lagMaxMs;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

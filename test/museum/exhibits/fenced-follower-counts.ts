import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title:
    'the high watermark waits for a follower that has just died, although it is fenced and out of the in-sync set',
  source: 'KIP-841; a mutant of eligibility.ts',
  edits: [
    {
      file: 'src/broker/replica/core/eligibility.ts',
      find: 'broker === undefined || broker.fenced || broker.inControlledShutdown',
      replace: 'broker === undefined',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

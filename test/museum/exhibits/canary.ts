import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'an acknowledgement that is a lie: records are acknowledged before anybody has them',
  source: 'TigerBeetle #3652: a harness must fail when it should',
  edits: [
    {
      file: 'src/broker/replica/ack-waiters.ts',
      find: 'if (waiter.requiredOffset > reached) (mustCommit',
      replace: 'if (!mustCommit && waiter.requiredOffset > reached) (mustCommit',
    },
  ],
  killedBy: 'sim',
  seedsMax: 40,
  isCanary: true,
};

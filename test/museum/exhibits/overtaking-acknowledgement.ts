import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'an acknowledgement that overtakes its listing is lost: the follower is never in sync again',
  source: 'Quorate 11d25b6',
  edits: [
    {
      file: 'src/broker/replica/follower-session.ts',
      find: 'this.#early.set(topicId, partition, ack);',
      replace: '',
    },
  ],
  killedBy: { test: 'test/broker/replica/follower-session.test.ts' },
  seedsMax: 200,
};

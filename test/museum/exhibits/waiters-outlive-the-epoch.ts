import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a produce request is answered by the high watermark of a later leader epoch',
  source: 'redpanda#3003; KAFKA-13161',
  edits: [
    {
      file: 'src/broker/replica/partition.ts',
      find: `    this.#acks.fail(refusal('NOT_LEADER_OR_FOLLOWER', leadershipMovedText(this.name, this.state)));
    this.#emit('role');
  }

  #handleProgress`,
      replace: `    this.#emit('role');
  }

  #handleProgress`,
    },
  ],
  killedBy: { test: 'test/broker/replica/failover.test.ts' },
  seedsMax: 200,
};

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
  killedBy: 'sim',
  seedsMax: 200,
  preset: {
    why: 'leaders die and are cut off while records are under way',
    options: {
      brokers: 3,
      controllers: 3,
      thinkMs: 200,
      faultsMs: 90000,
      delayMeanMs: 4,
      diskMeanMs: 8,
      topics: [
        {
          name: 'topic-0',
          partitions: 3,
          replicationFactor: 3,
          configs: { 'min.insync.replicas': '1', 'segment.bytes': '65536', 'index.interval.bytes': '4096' },
        },
      ],
      producers: 3,
      faults: {
        kill: 4000,
        'power loss': 6000,
        pause: 6000,
        cut: 5000,
        'one-way cut': 6000,
        'slow disk': 6000,
      },
    },
  },
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: `a fetch agrees when its offset is in the leader's log, whatever the epoch of its last record`,
  source: 'KAFKA-6361, KIP-279',
  edits: [
    {
      file: 'src/broker/replica/core/follower-fetch.ts',
      find: `if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return { kind: 'diverges', end };`,
      replace: `if (end.endOffset < fetchOffset) return { kind: 'diverges', end };`,
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

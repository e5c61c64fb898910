import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a fetch waits for bytes that are there: in the segment after the one that it has read to its end',
  source: "Quorate, seed 140; Kafka's DelayedFetch completes when its segment has been rolled",
  edits: [
    {
      file: 'src/broker/replica/consumer-fetches.ts',
      find: ' || leavesSome(work, round)',
      replace: ' || (leavesSome(work, round) && round.hasError)',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
  preset: {
    why: 'segments of a few batches, of which few are in memory',
    options: {
      faultsMs: 3000,
      faults: {},
      settings: { 'log.tail.cache.bytes': '100' },
      topics: [
        {
          name: 'topic-0',
          partitions: 2,
          replicationFactor: 1,
          configs: { 'min.insync.replicas': '1', 'segment.bytes': '300', 'index.interval.bytes': '4096' },
        },
      ],
    },
  },
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a follower takes the high watermark of a reply that says diverging',
  source: 'KAFKA-14704',
  edits: [
    {
      file: 'src/broker/replica/leader-replies.ts',
      find: 'else if (part.divergingEpoch !== undefined) this.#handleDivergence(entry, part.divergingEpoch);',
      replace: `else if (part.divergingEpoch !== undefined) {
      entry.partition.followLeader({ ...part, logStartOffset: 0 });
      this.#handleDivergence(entry, part.divergingEpoch);
    }`,
    },
    {
      file: 'src/broker/replica/session-partition.ts',
      find: `if (this.#verdict.kind === 'diverges') return this.#final({ divergingEpoch: this.#verdict.end });`,
      replace: `if (this.#verdict.kind === 'diverges')
      return this.#final({ divergingEpoch: this.#verdict.end, highWatermark: log.highWatermark });`,
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

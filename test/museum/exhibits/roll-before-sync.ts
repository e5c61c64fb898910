import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a segment begins before the one before it is durable',
  source: 'LevelDB: a hole in the write-ahead log',
  edits: [
    {
      file: 'src/log/append/log-writer.ts',
      find: `      await this.#ports.sync(closed);
      await this.#ports.retire(closed);`,
      replace: '      await this.#ports.retire(closed);',
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

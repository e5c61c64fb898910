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
  seedsMax: 20,
  preset: {
    why: 'one broker with small segments, which acknowledges before it syncs, loses power again and again',
    options: {
      brokers: 1,
      controllers: 1,
      thinkMs: 100,
      recordsMax: 10,
      faultsMs: 60000,
      diskMeanMs: 10,
      producers: 3,
      topics: [
        {
          name: 'topic-0',
          partitions: 2,
          replicationFactor: 1,
          configs: {
            'min.insync.replicas': '1',
            'segment.bytes': '2048',
            'index.interval.bytes': '4096',
            'write.caching': 'true',
          },
        },
      ],
      faults: { 'power loss': 2500 },
    },
  },
};

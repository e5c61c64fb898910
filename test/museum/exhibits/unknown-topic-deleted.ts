import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a log whose topic the metadata do not name is deleted',
  source: 'nats-server#6888, #7556; Quorate f2216d0',
  edits: [
    {
      file: 'src/broker/replica/start-sweep.ts',
      find: 'const keptIn = await logs.setAside(log);',
      replace: `await logs.delete(topic, partition, topicId);
        const keptIn: string | undefined = undefined;`,
    },
  ],
  killedBy: { test: 'test/broker/replica/metadata-changes.test.ts' },
  seedsMax: 200,
};

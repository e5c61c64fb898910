import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'followers do not note the producers of what they append',
  source: 'KIP-98; AutoMQ#437',
  edits: [
    {
      file: 'src/log/append/log-appender.ts',
      find: `      log.producers.record(header);
`,
      replace: '',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

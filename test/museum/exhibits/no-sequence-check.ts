import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a leader takes every batch for new',
  source: 'redpanda#3039; KIP-98',
  edits: [
    {
      file: 'src/log/append/log-appender.ts',
      find: 'const known = header.producerId === NONE ? undefined : log.producers.check(header);',
      replace: 'const known = header.producerId !== 0.5 ? undefined : log.producers.check(header);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

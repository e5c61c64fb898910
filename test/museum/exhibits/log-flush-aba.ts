import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a sync that ends after a truncation counts for what took its place',
  source: 'redpanda#16105',
  edits: [
    {
      file: 'src/log/append/log-writer.ts',
      find: `      if (!done || generation !== this.#generation) continue;
`,
      replace: `      if (!done || generation < 0) continue;
`,
    },
  ],
  killedBy: { test: 'test/log/failure.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a partition whose next batch had no room in a reply is not looked at again',
  source: 'Quorate bfee2c3',
  edits: [
    {
      file: 'src/broker/replica/follower-session.ts',
      find: `if (answer instanceof Promise || entry.weigh() !== 'records') this.#dirty.delete(entry);`,
      replace: 'this.#dirty.delete(entry);',
    },
    {
      file: 'src/broker/replica/follower-session.ts',
      find: `        if (entry.weigh() === 'records') this.#dirty.add(entry);
`,
      replace: '',
    },
  ],
  killedBy: { test: 'test/broker/replica/catch-up.test.ts' },
  seedsMax: 200,
};

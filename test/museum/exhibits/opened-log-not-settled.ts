import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title:
    'the names that a store gives when it is opened are not made durable before its entries are believed',
  source: 'Quorate face4e7; "fsyncgate", 2018',
  edits: [{ file: 'src/raft/store/open-quorum-store.ts', find: '    await settle();\n', replace: '' }],
  killedBy: { test: 'test/raft/store/damage.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a store whose formatting died after its last rename is opened without making that name durable',
  source: 'Quorate 4b785ca',
  edits: [
    {
      file: 'src/raft/store/open-quorum-store.ts',
      find: '  await files.syncDirectory(directory);\n',
      replace: '',
    },
  ],
  killedBy: { test: 'test/raft/store/format.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the quorum goes by the date',
  source: 'Jepsen; etcd, CockroachDB: leases by wall clocks',
  edits: [
    {
      file: 'src/raft/node/raft-node.ts',
      find: 'nowMs: () => clock.monotonicMs(),',
      replace: 'nowMs: () => clock.wallMs() as never,',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

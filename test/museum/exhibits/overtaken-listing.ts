import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a listing that an acknowledgement overtook takes back what was acknowledged',
  source: 'Quorate d0d0814',
  edits: [
    {
      file: 'src/broker/replica/core/follower-progress.ts',
      find: 'this.flushedOffset = Math.min(Math.max(report.flushedOffset, atLeast.flushedOffset), report.endOffset);',
      replace:
        'this.flushedOffset = Math.min(Math.max(report.flushedOffset, NOTHING.flushedOffset), report.endOffset);',
    },
  ],
  killedBy: { test: 'test/broker/replica/core/follower-progress.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a leader that is elected again counts what followers had in its earlier epoch',
  source: 'KIP-320; Kip320FirstTry.tla',
  edits: [
    {
      file: 'src/broker/replica/core/partition-state.ts',
      find: `      // Also when re-elected: another leader may have been in between, to which the followers truncated.
      this.followers.clear();
`,
      replace: '',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

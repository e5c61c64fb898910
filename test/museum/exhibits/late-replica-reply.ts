import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'records of a reply that was overtaken by another leader are appended',
  source: 'KIP-320; KAFKA-7395',
  edits: [
    {
      file: 'src/broker/replica/fetched-partition.ts',
      find: `      this.partition.state.leaderEpoch === this.leaderEpoch &&
`,
      replace: '',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

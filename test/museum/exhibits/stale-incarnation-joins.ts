import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a replica joins the in-sync set by what an earlier incarnation of its broker fetched',
  source: 'KIP-903, KAFKA-15221',
  edits: [
    {
      file: 'src/broker/replica/core/eligibility.ts',
      find: 'return progress.brokerEpoch !== NONE && progress.brokerEpoch === broker.epoch;',
      replace: 'return progress.brokerEpoch !== NONE;',
    },
    {
      file: 'src/metadata/controller/alter-partition.ts',
      find: 'brokerEpoch !== NONE && brokerEpoch !== broker.epoch',
      replace: 'brokerEpoch === NONE',
    },
    {
      file: 'src/broker/replica/core/follower-fetch.ts',
      find: `return from.brokerEpoch < known ? 'NOT_LEADER_OR_FOLLOWER' : undefined;`,
      replace: `return from.brokerEpoch < known && known < 0 ? 'NOT_LEADER_OR_FOLLOWER' : undefined;`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
  preset: {
    why: 'brokers get new disks while links are slow and cut',
    options: {
      brokers: 3,
      controllers: 3,
      faults: { 'new disk': 15000, cut: 4000, pause: 8000, kill: 8000 },
    },
  },
};

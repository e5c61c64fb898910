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
      replace: 'brokerEpoch < NONE',
    },
  ],
  killedBy: { test: 'test/broker/replica/isr.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a broker leads by metadata of before its own registration',
  source: 'KAFKA-10527, of a broker; KIP-966',
  edits: [
    {
      file: 'src/broker/replica/replica-set.ts',
      find: `      if (image.cluster.brokers.get(this.#options.nodeId)?.epoch !== this.#options.brokerEpoch()) return;
`,
      replace: '',
    },
  ],
  killedBy: { test: 'test/broker/replica/metadata-changes.test.ts' },
  seedsMax: 200,
};

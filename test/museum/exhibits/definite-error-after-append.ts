import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a refusal promises the absence of records that were appended',
  source: 'Quorate 24e5940; KAFKA-14034',
  edits: [
    {
      file: 'src/broker/replica/pending-produce.ts',
      find: `return isDefinite ? { ...outcome, error: 'REQUEST_TIMED_OUT' } : outcome;`,
      replace: 'return isDefinite ? { ...outcome } : outcome;',
    },
  ],
  killedBy: 'sim',
  seedsMax: 100,
};

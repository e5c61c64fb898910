import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a producer sends a batch again under another sequence although it may have been written',
  source: 'KAFKA-14034; redpanda#5355',
  edits: [
    {
      file: 'src/client/producer/verdict.ts',
      find: 'return batch.doubt === undefined ? ',
      replace: 'return batch.count > 0 ? ',
    },
    {
      file: 'src/client/producer/verdict.ts',
      find: `return ERRORS[error].definite ? { kind: 'retry' } : { kind: 'retry', doubt: error };
    }
    default:`,
      replace: `return ERRORS[error].definite ? { kind: 'retry' } : { kind: 'resequence' };
    }
    default:`,
    },
  ],
  killedBy: { test: 'test/client/producer/verdict.test.ts' },
  seedsMax: 200,
};

import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a leader whose log cannot be used judges fetches as if it were empty',
  source: 'Quorate 1a0d5a8; KAFKA-4277',
  edits: [
    {
      file: 'src/broker/replica/partition.ts',
      find: `    if (log.failure !== undefined) return { kind: 'refused', ...refusal('KAFKA_STORAGE_ERROR') };
`,
      replace: '',
    },
    {
      file: 'src/broker/replica/partition.ts',
      find: `    if (log.failure !== undefined) this.#handleFailure(log.failure);
  }

  /** First`,
      replace: `  }

  /** First`,
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

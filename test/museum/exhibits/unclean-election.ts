import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'any live replica is elected when none is in sync',
  source: 'Jepsen Kafka 0.8 (aphyr.com/posts/293); KIP-106',
  edits: [
    {
      file: 'src/metadata/election/election.ts',
      find: `const any = mode === 'unclean' ? replicas.find(isAcceptable) : undefined;`,
      replace: 'const any = replicas.find(isAcceptable);',
    },
  ],
  killedBy: 'sim',
  seedsMax: 200,
};

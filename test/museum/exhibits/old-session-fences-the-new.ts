import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'the end of an old stream ends the session of the incarnation that came after',
  source: 'Quorate 3fb88cd; KIP-631',
  edits: [
    {
      file: 'src/metadata/controller/broker-sessions.ts',
      find: `    if (stream !== session.stream && correlationId < session.correlationId) return false;
`,
      replace: '',
    },
  ],
  killedBy: { test: 'test/metadata/node/controller-node.test.ts' },
  seedsMax: 200,
};

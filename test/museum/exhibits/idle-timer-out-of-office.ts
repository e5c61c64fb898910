import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a controller that loses its office by its own no-op sets the timer for the next one',
  source: 'Quorate 52b523b',
  edits: [
    {
      file: 'src/metadata/node/controller-node.ts',
      find: 'if (metadataMaxIdleIntervalMs === 0 || !this.isActive) return;',
      replace: 'if (metadataMaxIdleIntervalMs === 0) return;',
    },
  ],
  killedBy: { test: 'test/metadata/node/controller-node.test.ts' },
  seedsMax: 200,
};

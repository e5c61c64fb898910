import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a log is cut before the checkpoints stop to promise what goes',
  source: 'Quorate 619d11c; KAFKA-3919',
  edits: [
    {
      file: 'src/log/log-cutter.ts',
      find: `      await log.around.lowerCheckpoints(log);
      await this.#changeFiles(() => truncateSegments`,
      replace: '      await this.#changeFiles(() => truncateSegments',
    },
  ],
  killedBy: { test: 'test/log/model.test.ts' },
  seedsMax: 200,
};

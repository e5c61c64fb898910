import { DYING_LEADERS } from '../dying-leaders.ts';
import type { Exhibit } from '../exhibit.ts';

export const exhibit: Exhibit = {
  title: 'a truncation leaves the state of producers as it was',
  source: 'KAFKA-5036; apache/kafka#4004',
  edits: [
    {
      file: 'src/log/log-cutter.ts',
      find: `      log.producers = await rebuildProducers(log.segments, endOffset, log.around.logger);
`,
      replace: '',
    },
  ],
  killedBy: 'sim',
  seedsMax: 60,
  preset: {
    why: `${DYING_LEADERS.why}, and are leaders again before a producer has sent once more what was cut`,
    options: DYING_LEADERS.options,
  },
};

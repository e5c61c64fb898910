import { EXIT_STATUS, type Exit } from '../exit.ts';
import type { Logger } from '../logger.ts';

/** Ends this process. The logger writes before it returns, so that the reason is on disk or on screen by then. */
export function processExit(logger: Logger): Exit {
  return {
    fatal(reason, error) {
      logger.error(
        { reason, error, status: EXIT_STATUS[reason] },
        'going on would be a lie: the process ends',
      );
      process.exit(EXIT_STATUS[reason]);
    },
  };
}

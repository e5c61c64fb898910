import { EXIT_STATUS, type Exit, logLastWords } from '../exit.ts';
import type { Logger } from '../logger.ts';

const STATUSES: readonly unknown[] = Object.values(EXIT_STATUS);

/** Ends this process. The logger writes before it returns, so that the reason is on disk or on screen by then. */
export function processExit(logger: Logger): Exit {
  return {
    fatal(reason, error) {
      // A process ends once, however many nodes it has, and itself remembers why. Called again by a handler of 'exit',
      // Node would take the later status.
      if (!STATUSES.includes(process.exitCode)) {
        process.exitCode = EXIT_STATUS[reason];
        logLastWords(logger, reason, error);
      }
      process.exit();
    },
  };
}

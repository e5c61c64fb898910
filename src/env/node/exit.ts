import { EXIT_STATUS, type Exit, type FatalReason, logLastWords } from '../exit.ts';
import type { Logger } from '../logger.ts';

/** A process ends once, however many nodes and loggers it has. */
let first: FatalReason | undefined;

/** Ends this process. The logger writes before it returns, so that the reason is on disk or on screen by then. */
export function processExit(logger: Logger): Exit {
  return {
    fatal(reason, error) {
      if (first === undefined) {
        first = reason;
        logLastWords(logger, reason, error);
      }
      // Called again by a handler of 'exit', Node would take the later status.
      process.exit(EXIT_STATUS[first]);
    },
  };
}

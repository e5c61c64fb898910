/** Signals become one call: the first asks to stop, a second does not wait. */
import process from 'node:process';
import { describeError, printNote } from './output.ts';

/** 128 + SIGINT, as a shell expects of a program that was interrupted. */
const EXIT_INTERRUPTED = 130;

/** Resolves when `stop`, called at the first SIGINT or SIGTERM, has finished. */
export function onStopSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const handle = (): void => {
      if (stopping) process.exit(EXIT_INTERRUPTED);
      stopping = true;
      stop()
        .catch((error: unknown) => printNote(`error: while stopping: ${describeError(error)}`))
        .then(resolve);
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
  });
}

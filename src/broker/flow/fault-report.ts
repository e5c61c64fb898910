/**
 * Where failures go that a reply cannot tell in full: the log, and for a broken promise of our own code the exit.
 */
import { AssertionError, EnvironmentError, type EnvironmentReason } from '../../base/index.ts';
import type { Environment } from '../../env/index.ts';
import { isUnexpected, messageOf } from './outcome.ts';

/** Every request to a node that is down fails so; the change of role that follows is logged once. */
const ROAD: ReadonlySet<EnvironmentReason> = new Set<EnvironmentReason>([
  'unreachable',
  'disconnected',
  'deadline-exceeded',
  'closed',
]);

export class FaultReport {
  readonly #environment: Pick<Environment, 'logger' | 'exit'>;

  constructor(environment: Pick<Environment, 'logger' | 'exit'>) {
    this.#environment = environment;
  }

  report(error: unknown, what: string): void {
    const { logger, exit } = this.#environment;
    if (error instanceof AssertionError) {
      exit.fatal('bug', error);
      return;
    }
    const fields = { message: messageOf(error), error: isUnexpected(error) ? error : undefined };
    if (isUnexpected(error)) logger.error(fields, what);
    else if (error instanceof EnvironmentError && !ROAD.has(error.reason)) logger.warn(fields, what);
    else logger.debug(fields, what);
  }
}

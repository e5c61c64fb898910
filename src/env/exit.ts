/**
 * The end of a node that can no longer keep its promises.
 *
 * Whatever else is broken, it does end: also when the log cannot be written, also when what was thrown cannot be printed.
 * The first reason is the one that counts. What fails later, fails because the node is ending, and must hide neither the
 * line a person looks for nor the status a supervisor acts upon.
 */
import type { Logger } from './logger.ts';

/** Ends the process of this node when going on would be a lie. */
export interface Exit {
  /**
   * Writes reason, error and status to the log, as one line and before anything ends, then ends the process with the
   * status of `reason`. After the first call others do nothing: no line, no other status.
   *
   * Returns to nobody: in a process no statement, timer or promise runs afterwards. In a test the caller goes on, for
   * what it runs in is shared with other nodes; but this node's timers no longer fire.
   */
  fatal(reason: FatalReason, error: unknown): void;
}

/** One exit status per reason: see docs/errors.md. */
export type FatalReason = 'bug' | 'sync-failed' | 'storage' | 'metadata-replay' | 'fenced-for-ever';

export const EXIT_STATUS: Readonly<Record<FatalReason, number>> = {
  bug: 70,
  'sync-failed': 74,
  storage: 75,
  'metadata-replay': 76,
  'fenced-for-ever': 77,
};

/** The last line of a node. A logger that fails keeps nobody alive: the status still tells the reason. */
export function logLastWords(logger: Logger, reason: FatalReason, error: unknown): void {
  const fields = { reason, error, status: EXIT_STATUS[reason] };
  try {
    logger.error(fields, 'going on would be a lie: the process ends');
  } catch {
    // Nowhere is left to say it.
  }
}

import { EnvironmentError } from '../base/index.ts';
import type { LogCompactor } from './compaction/log-compactor.ts';
import type { LogState } from './log-state.ts';
import { saveSnapshot } from './producer/producer-replay.ts';

/** See PartitionLog.close. */
export async function closeLog(log: LogState, compactor: LogCompactor): Promise<boolean> {
  if (log.closed) return log.failure === undefined;
  await compactor.stop();
  await log.whenQuiet();
  log.closed = true;
  await log.writer.idle();
  await log.writer.syncAll();
  const whole = log.failure === undefined && (await saveForNextStart(log));
  await releaseLog(log, compactor);
  return whole;
}

/** See PartitionLog.release. */
export async function releaseLog(log: LogState, compactor: LogCompactor): Promise<void> {
  log.closed = true;
  await compactor.stop();
  // What still changes files here must not meet those of a log that is made anew under the name.
  await log.whenQuiet();
  await log.writer.idle();
  log.tail.clear();
  log.reader.invalidate();
  await log.segments.close();
}

/**
 * False: the disk refused. Nothing is lost: all of it is in the batches, and an epoch that is not on disk yet has
 * none that counts as flushed.
 */
async function saveForNextStart(log: LogState): Promise<boolean> {
  const { segments, epochs, around, producers, topic, partition } = log;
  try {
    const { active } = segments;
    // Else nothing was written since the log was opened, and what is not saved speaks of no batch.
    if (!active.indexIsSaved) {
      await epochs.settled();
      await active.saveIndex();
    }
    if (producers.savedOffset !== log.logEndOffset)
      await saveSnapshot(around.files, log.directory, log.logEndOffset, producers);
    return true;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const fields = { topic, partition, reason: error.reason, error: error.message };
    around.logger.warn(fields, 'could not save what spares the next start to read the log again');
    return false;
  }
}

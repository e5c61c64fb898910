/** What looked damaged is read again, whole, while nothing can be cut or replaced: only that counts. */
import { CorruptionError, EnvironmentError } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { PartitionLog } from '../partition-log.ts';
import type { ClosedSegment } from './closed-segments.ts';
import { SegmentCheck } from './segment-check.ts';

/**
 * True: the segment is part of the log and damaged, and the log is offline now. `error` came up while it was read first.
 * Rejects for what is not the segment's own fault.
 */
export async function takeOfflineIfDamaged(
  log: PartitionLog,
  closed: ClosedSegment,
  error: unknown,
  logger: Logger,
): Promise<boolean> {
  const fields = { topic: log.topic, partition: log.partition, file: closed.segment.logPath };
  let isDamaged = false;
  await log.closed.whileHeld(closed, async () => {
    const found = await readWhole(log, closed);
    // A cut may have begun meanwhile: epochs that it took away are no damage.
    if (!log.closed.holds(closed)) return;
    if (found === undefined) {
      logger.warn({ ...fields, error: String(error) }, 'a segment was read as damaged, and is not');
      return;
    }
    isDamaged = true;
    const { position, expected, found: instead } = found;
    logger.error({ ...fields, position, expected, found: instead }, 'the scrub found a damaged segment');
    log.takeOffline(found);
  });
  return isDamaged;
}

/** What is wrong with the segment; undefined: nothing. Rejects for what is not the segment's own fault. */
async function readWhole(log: PartitionLog, closed: ClosedSegment): Promise<CorruptionError | undefined> {
  const { logPath } = closed.segment;
  const damaged = (position: number, expected: string, found: string): CorruptionError =>
    new CorruptionError(logPath, position, expected, found);
  let check: SegmentCheck | undefined;
  try {
    check = await SegmentCheck.open(log.closed, closed);
    for (;;) {
      const step = await check.step();
      if (step.kind === 'end') return undefined;
      if (step.kind === 'damage') return damaged(step.position, step.expected, step.found);
    }
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    if (error.reason === 'not-found') return damaged(0, 'the file of a closed segment', 'no file');
    if (error.reason === 'io-error') return damaged(0, 'a file that can be read', error.message);
    return undefined;
  } finally {
    await check?.close().catch(() => {});
  }
}

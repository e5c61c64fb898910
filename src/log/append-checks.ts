import { ApiError, type LeaderEpoch, type Offset } from '../base/index.ts';
import type { LogConfig } from './log-config.ts';
import {
  type BatchHeader,
  type BatchView,
  batches,
  producerBatchProblem,
  readBatchHeader,
  recompressBatch,
  stampLogAppendTime,
  validateBatch,
} from './record/index.ts';

/**
 * The header of a produced batch that a leader may append. Order of refusals as in Kafka's UnifiedLog and
 * LogValidator. Throws ApiError.
 */
export function checkProducedBatch(batch: Uint8Array, config: LogConfig): BatchHeader {
  assertFits(batch, config);
  const unsound = validateBatch(batch);
  if (unsound !== undefined) throw new ApiError(unsound.code, unsound.message);
  const header = readBatchHeader(batch);
  const problem = producerBatchProblem(header);
  if (problem !== undefined) throw new ApiError(problem.code, problem.message);
  return header;
}

/** Codec and timestamp as the topic wants them. The given memory is changed, or another is returned. */
export function toStoredBatch(
  batch: Uint8Array,
  header: BatchHeader,
  config: LogConfig,
  nowMs: number,
): Uint8Array {
  let stored = batch;
  if (config.compressionType !== 'producer' && config.compressionType !== header.codec) {
    stored = recompressBatch(batch, header, config.compressionType);
    assertFits(stored, config);
  }
  if (config.timestampType === 'LogAppendTime') stampLogAppendTime(stored, nowMs);
  return stored;
}

function assertFits(batch: Uint8Array, config: LogConfig): void {
  if (batch.length > config.maxMessageBytes)
    throw new ApiError(
      'MESSAGE_TOO_LARGE',
      `the batch has ${batch.length} bytes; max.message.bytes is ${config.maxMessageBytes}`,
    );
  if (batch.length > config.segmentBytes)
    throw new ApiError(
      'RECORD_LIST_TOO_LARGE',
      `the batch has ${batch.length} bytes; segment.bytes is ${config.segmentBytes}`,
    );
}

/**
 * The batches a leader sent, one by one, checked before any is appended: sound, in offset order from
 * `logEndOffset`, of epochs that do not fall and are not above the leader's own. Throws ApiError
 * CORRUPT_MESSAGE.
 */
export function checkFetchedBatches(
  fetched: readonly Uint8Array[],
  log: { readonly logEndOffset: Offset; readonly lastBatchEpoch: LeaderEpoch },
  leaderEpoch: LeaderEpoch,
): BatchView[] {
  const checked: BatchView[] = [];
  let nextOffset = log.logEndOffset;
  let lastEpoch = log.lastBatchEpoch;
  for (const some of fetched) {
    for (const view of wholeBatches(some)) {
      const { header, bytes } = view;
      const problem = validateBatch(bytes)?.message ?? misplaced(header, nextOffset, lastEpoch, leaderEpoch);
      if (problem !== undefined)
        throw new ApiError('CORRUPT_MESSAGE', `a fetched batch is not good: ${problem}`);
      checked.push(view);
      nextOffset = header.lastOffset + 1;
      lastEpoch = header.leaderEpoch;
    }
  }
  return checked;
}

function wholeBatches(bytes: Uint8Array): BatchView[] {
  try {
    return [...batches(bytes)];
  } catch {
    throw new ApiError('CORRUPT_MESSAGE', 'the fetched bytes do not end with a batch');
  }
}

function misplaced(
  header: BatchHeader,
  nextOffset: Offset,
  lastEpoch: LeaderEpoch,
  leaderEpoch: LeaderEpoch,
): string | undefined {
  if (header.baseOffset < nextOffset)
    return `it begins at offset ${header.baseOffset}, the log ends at ${nextOffset}`;
  if (header.leaderEpoch < lastEpoch) return `epoch ${header.leaderEpoch} follows epoch ${lastEpoch}`;
  if (header.leaderEpoch > leaderEpoch)
    return `epoch ${header.leaderEpoch} is above the leader's epoch ${leaderEpoch}`;
  return undefined;
}

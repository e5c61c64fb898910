import { ApiError, type LeaderEpoch, type Offset, type WallMs } from '../../base/index.ts';
import type { LogConfig } from '../log-config.ts';
import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  type BatchProblem,
  type BatchView,
  batches,
  findMaxTimestamp,
  inflatedBytesMaxOf,
  inflateRecords,
  producerBatchProblem,
  type RecordRules,
  readBatchHeader,
  reencodeBatch,
  stampLogAppendTime,
  stampMaxTimestamp,
  validateBatch,
  walkRecords,
} from '../record/index.ts';

/**
 * The header of a produced batch that a leader may append, as far as header and CRC tell: enough to know a
 * repetition. The records follow in {@link toStoredBatch}. Throws ApiError.
 */
export function checkProducedBatch(batch: Uint8Array, config: LogConfig): BatchHeader {
  assertFits(batch, config);
  throwProblem(validateBatch(batch));
  const header = readBatchHeader(batch);
  throwProblem(producerBatchProblem(header));
  return header;
}

export interface StoredBatch {
  /** The memory of the produced batch, changed, or another. */
  readonly bytes: Uint8Array;
  readonly maxTimestamp: WallMs;
}

/**
 * The batch as the topic wants it, each record of it checked: a malformed one, once acknowledged, would stop
 * every consumer and the cleaner for good. Throws ApiError INVALID_RECORD, INVALID_TIMESTAMP,
 * CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE.
 */
export function toStoredBatch(
  batch: Uint8Array,
  header: BatchHeader,
  config: LogConfig,
  nowMs: WallMs,
): StoredBatch {
  const isClear = header.codec === 'none';
  const clear = isClear ? batch : inflateRecords(batch, header);
  const start = isClear ? BATCH_HEADER_BYTES : 0;
  const maxTimestamp = checkRecords(clear, start, header, recordRules(config, nowMs));
  let bytes = batch;
  if (config.compressionType !== 'producer' && config.compressionType !== header.codec) {
    bytes = reencodeBatch(header, batch, clear.subarray(start), config.compressionType);
    assertFits(bytes, config);
    assertInflates(bytes, clear.length - start, config);
  }
  if (config.timestampType === 'LogAppendTime') {
    stampLogAppendTime(bytes, nowMs);
    return { bytes, maxTimestamp: nowMs };
  }
  if (maxTimestamp !== header.maxTimestamp) stampMaxTimestamp(bytes, maxTimestamp);
  return { bytes, maxTimestamp };
}

/** The largest timestamp; a problem is told by the walk, which need not be quick. */
function checkRecords(clear: Uint8Array, start: number, header: BatchHeader, rules: RecordRules): WallMs {
  const quick = findMaxTimestamp(clear, start, header, rules);
  if (quick !== undefined) return quick;
  const walked = walkRecords(clear, start, header, rules);
  if ('code' in walked) throw new ApiError(walked.code, walked.message);
  return walked.maxTimestamp;
}

/** A rule for records, not for headers, belongs here. */
function recordRules(config: LogConfig, nowMs: WallMs): RecordRules {
  const isCreateTime = config.timestampType === 'CreateTime';
  return {
    // Before 1970 there are no timestamps: negative ones have other meanings wherever one is asked for.
    timestampMin: isCreateTime ? Math.max(0, nowMs - config.timestampBeforeMaxMs) : -Infinity,
    timestampMax: isCreateTime
      ? Math.min(Number.MAX_SAFE_INTEGER, nowMs + config.timestampAfterMaxMs)
      : Infinity,
    requireKeys: config.compacts,
  };
}

function throwProblem(problem: BatchProblem | undefined): void {
  if (problem !== undefined) throw new ApiError(problem.code, problem.message);
}

/** Encoded anew a batch may be so much smaller that readers would take it for a bomb. */
function assertInflates(bytes: Uint8Array, clearBytes: number, config: LogConfig): void {
  const limitBytes = inflatedBytesMaxOf(bytes.length);
  if (config.compressionType !== 'none' && clearBytes > limitBytes)
    throw new ApiError(
      'INVALID_RECORD',
      `in ${config.compressionType} the batch has ${bytes.length} bytes, which may hold ${limitBytes}, not ${clearBytes}`,
    );
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

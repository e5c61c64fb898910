/**
 * Appends to one log, as its leader or as a follower: a batch is checked first and changes nothing when it is refused;
 * then it is in the log at once, in memory, and on its way to the file.
 */
import { ApiError, type LeaderEpoch, NONE, type Offset, type WallMs } from '../../base/index.ts';
import type { LogCutter } from '../log-cutter.ts';
import type { LogState } from '../log-state.ts';
import type { RecordedBatch } from '../producer/producer-states.ts';
import { type BatchHeader, stampBatch } from '../record/index.ts';
import { checkFetchedBatches, checkProducedBatch, toStoredBatch } from './append-checks.ts';

export interface LogAppend {
  readonly firstOffset: Offset;
  /** Inclusive. */
  readonly lastOffset: Offset;
  /** With LogAppendTime the time that the records bear in the log, else -1. */
  readonly logAppendTimeMs: WallMs;
  /** True: an earlier append of the same batch, whose offsets these are. Nothing was appended now. */
  readonly duplicate: boolean;
}

export interface LeaderAppendOptions {
  readonly leaderEpoch: LeaderEpoch;
  readonly nowMs: WallMs;
}

export class LogAppender {
  readonly #log: LogState;
  readonly #cutter: LogCutter;

  constructor(log: LogState, cutter: LogCutter) {
    this.#log = log;
    this.#cutter = cutter;
  }

  /** See PartitionLog. */
  appendAsLeader(batch: Uint8Array, { leaderEpoch, nowMs }: LeaderAppendOptions): LogAppend {
    const log = this.#log;
    this.#assertAppendable();
    const { latestEpoch } = log.epochs.cache;
    if (leaderEpoch < latestEpoch)
      throw new ApiError('FENCED_LEADER_EPOCH', `epoch ${leaderEpoch} ended; the log is in ${latestEpoch}`);
    const { config } = log.segments;
    const header = checkProducedBatch(batch, config);
    const known = header.producerId === NONE ? undefined : log.producers.check(header);
    const isStamped = config.timestampType === 'LogAppendTime';
    if (known !== undefined) {
      log.around.counters.repeated();
      const { lastOffset, offsetDelta, timestampMs } = known;
      const logAppendTimeMs = isStamped ? timestampMs : NONE;
      return { firstOffset: lastOffset - offsetDelta, lastOffset, logAppendTimeMs, duplicate: true };
    }
    const { bytes: stored, maxTimestamp } = toStoredBatch(batch, header, config, nowMs);
    const baseOffset = log.logEndOffset;
    if (leaderEpoch > latestEpoch) log.assignEpoch(leaderEpoch, baseOffset);
    stampBatch(stored, { baseOffset, leaderEpoch });
    const lastOffset = baseOffset + header.lastOffsetDelta;
    this.#append(stored, lastOffset, maxTimestamp);
    if (header.producerId !== NONE) log.producers.record(toRecorded(header, lastOffset, maxTimestamp));
    const logAppendTimeMs = isStamped ? nowMs : NONE;
    return { firstOffset: baseOffset, lastOffset, logAppendTimeMs, duplicate: false };
  }

  /** See PartitionLog. */
  appendAsFollower(
    batches: readonly Uint8Array[],
    leaderEpoch: LeaderEpoch,
  ): { readonly lastOffset: Offset } {
    const log = this.#log;
    this.#assertAppendable();
    for (const { header, bytes } of checkFetchedBatches(batches, log, leaderEpoch)) {
      if (log.epochs.cache.note(header.leaderEpoch, header.baseOffset)) log.epochs.touch();
      this.#append(bytes, header.lastOffset, header.maxTimestamp);
      log.producers.record(header);
    }
    return { lastOffset: log.logEndOffset - 1 };
  }

  #append(batch: Uint8Array, lastOffset: Offset, maxTimestamp: WallMs): void {
    const log = this.#log;
    const appended = { lastOffset, maxTimestamp, sizeBytes: batch.length };
    if (log.segments.mustRoll(appended)) log.roll();
    log.segments.append(appended);
    log.around.counters.appended(batch.length);
    log.logEndOffset = lastOffset + 1;
    log.tail.push(batch);
    log.writer.enqueue(log.segments.active, batch, log.logEndOffset);
  }

  #assertAppendable(): void {
    this.#log.assertOnline();
    if (this.#cutter.isCutting) throw new ApiError('NOT_LEADER_OR_FOLLOWER', 'the log is being cut');
  }
}

/** Of a produced batch that has become a stored one. */
function toRecorded(
  { producerId, producerEpoch, baseSequence, lastOffsetDelta, isControl }: BatchHeader,
  lastOffset: Offset,
  maxTimestamp: WallMs,
): RecordedBatch {
  return { producerId, producerEpoch, baseSequence, lastOffsetDelta, isControl, lastOffset, maxTimestamp };
}

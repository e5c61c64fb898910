import {
  ApiError,
  AssertionError,
  EnvironmentError,
  type LeaderEpoch,
  NONE,
  type Offset,
  type PartitionId,
  type Uuid,
  type WallMs,
} from '../base/index.ts';
import { checkFetchedBatches, checkProducedBatch, toStoredBatch } from './append/append-checks.ts';
import { LogCompactor } from './compaction/log-compactor.ts';
import type { EpochEnd } from './epoch/epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import { LogCutter } from './log-cutter.ts';
import { type LogIdentity, LogState, type LogSurroundings } from './log-state.ts';
import type { LoadedLog } from './open/open-log.ts';
import { saveSnapshot } from './producer/producer-replay.ts';
import { isReadFatal } from './read/log-reader.ts';
import { EMPTY_READ, type LogRead, type ReadOptions } from './read/read-log.ts';
import { findLargestTimestamp, searchTimestamp, type TimestampOffset } from './read/search-timestamp.ts';
import { readBatchHeader, stampBatch } from './record/index.ts';
import { ClosedSegments } from './scrub/closed-segments.ts';
import { storageRefusal } from './storage-refusal.ts';

export interface LogAppend {
  readonly firstOffset: Offset;
  /** Inclusive. */
  readonly lastOffset: Offset;
  /** The broker's time with LogAppendTime, else -1. */
  readonly logAppendTimeMs: WallMs;
  /** True: an earlier append of the same batch, whose offsets these are. Nothing was appended now. */
  readonly duplicate: boolean;
}

/**
 * The log of one replica. Appends are decided and visible here at once, in memory; file and disk follow in
 * groups.
 *
 * Laws: logStart <= highWatermark <= logEnd, flushed <= written <= logEnd. Everything from the tail's first
 * batch to the end is in memory; everything below `written` is in the files. A batch given to an append
 * belongs to the log and changes no more.
 */
export class PartitionLog {
  readonly #state: LogState;
  readonly #cutter: LogCutter;
  readonly compactor: LogCompactor;
  /** For the scrub. */
  readonly closed: ClosedSegments;

  constructor(identity: LogIdentity, loaded: LoadedLog, highWatermark: Offset, around: LogSurroundings) {
    this.#state = new LogState(identity, loaded, highWatermark, around);
    this.#cutter = new LogCutter(this.#state);
    this.compactor = new LogCompactor(this.#state);
    this.closed = new ClosedSegments(this.#state);
  }

  get topic(): string {
    return this.#state.topic;
  }

  get partition(): PartitionId {
    return this.#state.partition;
  }

  get topicId(): Uuid {
    return this.#state.topicId;
  }

  get directory(): string {
    return this.#state.directory;
  }

  /** May be replaced at any time; what is stored stays as it is. */
  get config(): LogConfig {
    return this.#state.segments.config;
  }

  set config(config: LogConfig) {
    this.#state.segments.config = config;
  }

  get logStartOffset(): Offset {
    return this.#state.logStartOffset;
  }

  /** The log start that survives whatever happens to this machine; trails logStartOffset. */
  get durableLogStartOffset(): Offset {
    return this.#state.durableLogStartOffset;
  }

  /** Exclusive; moves at once at an append. */
  get logEndOffset(): Offset {
    return this.#state.logEndOffset;
  }

  /** Everything below it has been handed to the operating system. */
  get writtenOffset(): Offset {
    return this.#state.writer.written.offset;
  }

  /** Everything below it is durable, or with write caching written: what an acknowledgement may count. */
  get flushedOffset(): Offset {
    return this.#state.writer.flushed.offset;
  }

  /** Everything below it is durable, whatever write caching says: what a checkpoint may promise. */
  get recoveryPoint(): Offset {
    return this.#state.recoveryPoint;
  }

  /** Below it the log was compacted. */
  get firstDirtyOffset(): Offset {
    return this.#state.firstDirtyOffset;
  }

  get highWatermark(): Offset {
    return this.#state.highWatermark;
  }

  /** Of the last entry of the epoch cache, which may be of a leader that wrote nothing yet; -1: none. */
  get latestEpoch(): LeaderEpoch {
    return this.#state.epochs.cache.latestEpoch;
  }

  /** Of the last batch; -1: the log is empty. */
  get lastBatchEpoch(): LeaderEpoch {
    return this.epochAt(this.#state.logEndOffset - 1);
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#state.segments.sizeBytes;
  }

  get segmentCount(): number {
    return this.#state.segments.all.length;
  }

  /** Base offset of the segment that holds `offset`, by which its files are named. */
  segmentBaseOf(offset: Offset): Offset {
    const { segments } = this.#state;
    return segments.all[segments.indexOf(offset)]?.baseOffset ?? NONE;
  }

  /**
   * Set once: the first failed write or sync, or damage. The log takes no more appends and answers no
   * reads.
   */
  get failure(): Error | undefined {
    return this.#state.failure;
  }

  /**
   * Checks, stamps and appends one produced batch; its memory belongs to the log from now on. Nothing is
   * appended when it throws: ApiError CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE,
   * RECORD_LIST_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE, UNSUPPORTED_FOR_MESSAGE_FORMAT, INVALID_TIMESTAMP,
   * INVALID_TXN_STATE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, FENCED_LEADER_EPOCH,
   * KAFKA_STORAGE_ERROR.
   */
  appendAsLeader(
    batch: Uint8Array,
    options: { readonly leaderEpoch: LeaderEpoch; readonly nowMs: WallMs },
  ): LogAppend {
    this.#assertAppendable();
    const { leaderEpoch, nowMs } = options;
    if (leaderEpoch < this.latestEpoch)
      throw new ApiError(
        'FENCED_LEADER_EPOCH',
        `epoch ${leaderEpoch} ended; the log is in ${this.latestEpoch}`,
      );
    const header = checkProducedBatch(batch, this.config);
    const known = header.producerId === NONE ? undefined : this.#state.producers.check(header);
    const logAppendTimeMs = this.config.timestampType === 'LogAppendTime' ? nowMs : NONE;
    if (known !== undefined) {
      const firstOffset = known.lastOffset - known.offsetDelta;
      return { firstOffset, lastOffset: known.lastOffset, logAppendTimeMs, duplicate: true };
    }
    const { bytes: stored, maxTimestamp } = toStoredBatch(batch, header, this.config, nowMs);
    const baseOffset = this.#state.logEndOffset;
    if (leaderEpoch > this.latestEpoch) this.assignEpoch(leaderEpoch, baseOffset);
    stampBatch(stored, { baseOffset, leaderEpoch });
    const lastOffset = baseOffset + header.lastOffsetDelta;
    this.#append(stored, lastOffset, maxTimestamp);
    if (header.producerId !== NONE) this.#state.producers.record(readBatchHeader(stored));
    return { firstOffset: baseOffset, lastOffset, logAppendTimeMs, duplicate: false };
  }

  /**
   * Appends what a leader of `leaderEpoch` sent, as it stored it: all of it or, when something is wrong
   * with any batch, nothing. Each element holds one or more whole batches and belongs to the log from now
   * on. Throws ApiError CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR.
   */
  appendAsFollower(
    batches: readonly Uint8Array[],
    leaderEpoch: LeaderEpoch,
  ): { readonly lastOffset: Offset } {
    this.#assertAppendable();
    for (const { header, bytes } of checkFetchedBatches(batches, this, leaderEpoch)) {
      if (this.#state.epochs.cache.note(header.leaderEpoch, header.baseOffset)) this.#state.epochs.touch();
      this.#append(bytes, header.lastOffset, header.maxTimestamp);
      this.#state.producers.record(header);
    }
    return { lastOffset: this.#state.logEndOffset - 1 };
  }

  #append(batch: Uint8Array, lastOffset: Offset, maxTimestamp: WallMs): void {
    const appended = { lastOffset, maxTimestamp, sizeBytes: batch.length };
    if (this.#state.segments.mustRoll(appended)) this.#state.roll();
    this.#state.segments.append(appended);
    this.#state.around.counters.appended(batch.length);
    this.#state.logEndOffset = lastOffset + 1;
    this.#state.tail.push(batch);
    this.#state.writer.enqueue(this.#state.segments.active, batch, this.#state.logEndOffset);
  }

  /**
   * Resolves when everything below `offset` is written; rejects with ApiError when the log is cut below it
   * or fails.
   */
  whenWritten(offset: Offset): Promise<void> {
    return this.#state.writer.written.wait(offset);
  }

  /**
   * Resolves when everything below `offset` is flushed; rejects with ApiError when the log is cut below it
   * or fails.
   */
  whenFlushed(offset: Offset): Promise<void> {
    return this.#state.writer.flushed.wait(offset);
  }

  /**
   * Calls `listener` after writtenOffset, flushedOffset or a log start moved, or the log failed. Returns how
   * to stop that.
   */
  onProgress(listener: () => void): () => void {
    this.#state.listeners.add(listener);
    return () => this.#state.listeners.delete(listener);
  }

  /**
   * Whole batches from the one that holds `fromOffset`, all ending below `upperBound`; empty when there is
   * none yet. At once and as the same memory that was appended when the tail has them, else from the file.
   * Throws (or rejects with) ApiError OFFSET_OUT_OF_RANGE outside [logStart, logEnd], KAFKA_STORAGE_ERROR.
   */
  read(fromOffset: Offset, options: ReadOptions): LogRead | Promise<LogRead> {
    this.#assertReadable(fromOffset);
    const upperBound = Math.min(options.upperBound, this.#state.logEndOffset);
    if (fromOffset >= upperBound) return EMPTY_READ;
    const { maxBytes, atLeastOne } = options;
    const again = (): LogRead | Promise<LogRead> => this.read(fromOffset, options);
    const read = this.#state.reader.read(fromOffset, { maxBytes, atLeastOne, upperBound }, again);
    return read instanceof Promise ? read.catch((error: unknown) => this.#refuseRead(error)) : read;
  }

  /** As {@link read}, but what the files hold, whatever is in memory, and only what is written. */
  async readStored(fromOffset: Offset, options: ReadOptions): Promise<LogRead> {
    this.#assertReadable(fromOffset);
    const upperBound = Math.min(options.upperBound, this.writtenOffset);
    if (fromOffset >= upperBound) return EMPTY_READ;
    const again = (): Promise<LogRead> => this.readStored(fromOffset, options);
    const read = this.#state.reader.readFiles(fromOffset, { ...options, upperBound }, again);
    return read.catch((error: unknown) => this.#refuseRead(error));
  }

  #assertReadable(fromOffset: Offset): void {
    const { logStartOffset, logEndOffset } = this.#state;
    this.#state.assertOnline();
    if (fromOffset < logStartOffset || fromOffset > logEndOffset)
      throw new ApiError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${fromOffset} is outside [${logStartOffset}, ${logEndOffset}]`,
      );
  }

  #refuseRead(error: unknown): never {
    if (error instanceof ApiError || error instanceof AssertionError) throw error;
    if (isReadFatal(error) && !this.#state.closed) this.#state.fail(error);
    throw storageRefusal(error);
  }

  /** The first record of `timestampMs` or later, up to the end of the log. Rejects like {@link read}. */
  async offsetForTimestamp(timestampMs: WallMs): Promise<TimestampOffset | undefined> {
    const segment = this.#state.segments.all.find((one) => one.largestTimestampMs >= timestampMs);
    if (segment === undefined) return undefined;
    const from = await this.#state.reader
      .locateTimestamp(segment, timestampMs)
      .catch((error: unknown) => this.#refuseRead(error));
    return searchTimestamp(this, from, timestampMs);
  }

  /**
   * The first record that bears the largest timestamp; undefined: there is none. Rejects like {@link read}.
   */
  async maxTimestamp(): Promise<TimestampOffset | undefined> {
    const largest = await findLargestTimestamp(this, this.#state.segments.all, (timestampMs) =>
      this.offsetForTimestamp(timestampMs),
    );
    return largest === NONE ? undefined : this.offsetForTimestamp(largest);
  }

  /**
   * `epoch` begins at `startOffset` in this log. Known here at once, and on disk before anything at or
   * after that offset counts as flushed.
   */
  assignEpoch(epoch: LeaderEpoch, startOffset: Offset): void {
    if (this.#state.epochs.cache.assign(epoch, startOffset)) this.#state.epochs.touch();
  }

  /** Of the leader that wrote, or will write, at `offset`; -1: not known. */
  epochAt(offset: Offset): LeaderEpoch {
    return this.#state.epochs.cache.epochAt(offset) ?? NONE;
  }

  /** See EpochCache.endOffsetFor: the largest epoch at or below `epoch` and its end, or undefined. */
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd | undefined {
    return this.#state.epochs.cache.endOffsetFor(epoch, this.#state.logEndOffset);
  }

  /** Clamped to [logStart, logEnd]. */
  setHighWatermark(offset: Offset): void {
    this.#state.highWatermark = Math.min(
      Math.max(offset, this.#state.logStartOffset),
      this.#state.logEndOffset,
    );
  }

  /**
   * Removes every batch that ends at or after `offset`, and the epochs that begin there or later. Readers
   * see it at once; it resolves when the files are cut, durably. The end may then be below `offset`, if
   * that lay within a batch. Until then appends are refused with NOT_LEADER_OR_FOLLOWER. Rejects with
   * KAFKA_STORAGE_ERROR.
   */
  async truncateTo(offset: Offset): Promise<void> {
    return this.#cutter.truncateTo(offset);
  }

  /** Empties the log, epochs and producers included; it goes on at `offset`, which may be anywhere. */
  async truncateFullyAndStartAt(offset: Offset): Promise<void> {
    return this.#cutter.truncateFullyAndStartAt(offset);
  }

  /**
   * The log begins at `offset` now, at most the high watermark; segments wholly below it are removed.
   * Readers see it before this returns; it resolves when no crash can take it back. A log that begins there
   * or later stays as it is. Rejects with ApiError OFFSET_OUT_OF_RANGE above the high watermark,
   * KAFKA_STORAGE_ERROR.
   */
  advanceLogStart(offset: Offset): Promise<void> {
    return this.#cutter.advanceLogStart(offset);
  }

  /**
   * Removes whole segments that retention.ms and retention.bytes no longer keep, never one at or above the high
   * watermark, and closes an active one that has grown old. A log whose records are all too old is empty then.
   */
  applyRetention(nowMs: WallMs): Promise<void> {
    return this.#cutter.applyRetention(nowMs);
  }

  /**
   * Writes and syncs everything, saves indexes and producers, closes the files. True: all of it is on disk.
   * Never rejects for a disk that fails.
   */
  async close(): Promise<boolean> {
    if (this.#state.closed) return this.#state.failure === undefined;
    await this.compactor.stop();
    await this.#state.whenQuiet();
    this.#state.closed = true;
    await this.#state.writer.idle();
    await this.#state.writer.syncAll();
    const whole = this.#state.failure === undefined && (await this.#saveForNextStart());
    await this.release();
    return whole;
  }

  /**
   * False: the disk refused. Nothing is lost: all of it is in the batches, and an epoch that is not on disk yet has
   * none that counts as flushed.
   */
  async #saveForNextStart(): Promise<boolean> {
    const { segments, epochs, around, producers, topic, partition } = this.#state;
    try {
      const { active } = segments;
      // Else nothing was written since the log was opened, and what is not saved speaks of no batch.
      if (!active.indexIsSaved) {
        await epochs.settled();
        await active.saveIndex();
      }
      if (producers.savedOffset !== this.#state.logEndOffset)
        await saveSnapshot(around.files, this.directory, this.#state.logEndOffset, producers);
      return true;
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const fields = { topic, partition, reason: error.reason, error: error.message };
      around.logger.warn(fields, 'could not save what spares the next start to read the log again');
      return false;
    }
  }

  /** Closes the files as they are: the log is about to be deleted, or has failed. */
  async release(): Promise<void> {
    this.#state.closed = true;
    await this.compactor.stop();
    // What still changes files here must not meet those of a log that is made anew under the name.
    await this.#state.whenQuiet();
    await this.#state.writer.idle();
    this.#state.tail.clear();
    this.#state.reader.invalidate();
    await this.#state.segments.close();
  }

  /** For the one who found the log damaged: `failure` is set, and that is for good. */
  takeOffline(error: Error, told: 'here' | 'elsewhere' = 'here'): void {
    this.#state.fail(error, told);
  }

  #assertAppendable(): void {
    this.#state.assertOnline();
    if (this.#cutter.isCutting) throw new ApiError('NOT_LEADER_OR_FOLLOWER', 'the log is being cut');
  }
}

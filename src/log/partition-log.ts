import {
  type LeaderEpoch,
  NONE,
  type Offset,
  type PartitionId,
  type Uuid,
  type WallMs,
} from '../base/index.ts';
import { type LeaderAppendOptions, type LogAppend, LogAppender } from './append/log-appender.ts';
import { closeLog, releaseLog } from './close-log.ts';
import { LogCompactor } from './compaction/log-compactor.ts';
import type { EpochEnd } from './epoch/epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import { LogCutter } from './log-cutter.ts';
import { type LogIdentity, LogState, type LogSurroundings } from './log-state.ts';
import type { LoadedLog } from './open/open-log.ts';
import { LogView } from './read/log-view.ts';
import type { LogRead, ReadOptions } from './read/read-log.ts';
import type { TimestampOffset } from './read/search-timestamp.ts';
import { ClosedSegments } from './scrub/closed-segments.ts';

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
  readonly #appender: LogAppender;
  readonly #view: LogView;
  readonly compactor: LogCompactor;
  /** For the scrub. */
  readonly closed: ClosedSegments;

  constructor(identity: LogIdentity, loaded: LoadedLog, highWatermark: Offset, around: LogSurroundings) {
    this.#state = new LogState(identity, loaded, highWatermark, around);
    this.#cutter = new LogCutter(this.#state);
    this.#appender = new LogAppender(this.#state, this.#cutter);
    this.#view = new LogView(this.#state);
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
    return this.#state.lastBatchEpoch;
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
  appendAsLeader(batch: Uint8Array, options: LeaderAppendOptions): LogAppend {
    return this.#appender.appendAsLeader(batch, options);
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
    return this.#appender.appendAsFollower(batches, leaderEpoch);
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
    return this.#view.read(fromOffset, options);
  }

  /** As {@link read}, but what the files hold, whatever is in memory, and only what is written. */
  readStored(fromOffset: Offset, options: ReadOptions): Promise<LogRead> {
    return this.#view.readStored(fromOffset, options);
  }

  /** The first record of `timestampMs` or later, up to the end of the log. Rejects like {@link read}. */
  offsetForTimestamp(timestampMs: WallMs): Promise<TimestampOffset | undefined> {
    return this.#view.offsetForTimestamp(timestampMs);
  }

  /**
   * The first record that bears the largest timestamp; undefined: there is none. Rejects like {@link read}.
   */
  maxTimestamp(): Promise<TimestampOffset | undefined> {
    return this.#view.maxTimestamp();
  }

  /**
   * `epoch` begins at `startOffset` in this log. Known here at once, and on disk before anything at or
   * after that offset counts as flushed.
   */
  assignEpoch(epoch: LeaderEpoch, startOffset: Offset): void {
    this.#state.assignEpoch(epoch, startOffset);
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
  close(): Promise<boolean> {
    return closeLog(this.#state, this.compactor);
  }

  /** Closes the files as they are: the log is about to be deleted, or has failed. */
  release(): Promise<void> {
    return releaseLog(this.#state, this.compactor);
  }

  /** For the one who found the log damaged: `failure` is set, and that is for good. */
  takeOffline(error: Error, told: 'here' | 'elsewhere' = 'here'): void {
    this.#state.fail(error, told);
  }
}

import {
  ApiError,
  AssertionError,
  type LeaderEpoch,
  NONE,
  type Offset,
  type PartitionId,
  type Uuid,
  type WallMs,
} from '../base/index.ts';
import type { Files, Logger } from '../env/index.ts';
import { checkFetchedBatches, checkProducedBatch, toStoredBatch } from './append-checks.ts';
import type { EpochEnd } from './epoch-cache.ts';
import type { EpochCheckpoint } from './epoch-checkpoint.ts';
import type { LogConfig } from './log-config.ts';
import { isReadFatal, LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import type { LoadedLog } from './open-log.ts';
import { rebuildProducers, saveSnapshot } from './producer-replay.ts';
import { encodeProducerSnapshot } from './producer-snapshot.ts';
import type { ProducerStates } from './producer-states.ts';
import { EMPTY_READ, type LogRead, type ReadOptions } from './read-log.ts';
import { readBatchHeader, stampBatch } from './record/index.ts';
import { retainedFrom } from './retention.ts';
import { searchTimestamp, type TimestampOffset } from './search-timestamp.ts';
import type { SegmentList } from './segment-list.ts';
import type { SegmentPool } from './segment-pool.ts';
import { storageRefusal } from './storage-refusal.ts';
import { LogTail, type TailCache } from './tail-cache.ts';
import { findBatchBoundary, replaceSegments, truncateSegments } from './truncate-segments.ts';

export interface LogAppend {
  readonly firstOffset: Offset;
  /** Inclusive. */
  readonly lastOffset: Offset;
  /** The broker's time with LogAppendTime, else -1. */
  readonly logAppendTimeMs: WallMs;
  /** True: an earlier append of the same batch, whose offsets these are. Nothing was appended now. */
  readonly duplicate: boolean;
}

/** What the logs of one directory share. */
export interface LogSurroundings {
  readonly files: Files;
  readonly logger: Logger;
  readonly tailCache: TailCache;
  readonly pool: SegmentPool;
  /** Saves the checkpoints of all logs. */
  readonly saveCheckpoints: () => Promise<void>;
  /** The same, when what they say of this log is above what it is about to be cut to. */
  readonly lowerCheckpoints: (log: PartitionLog) => Promise<void>;
}

export interface LogIdentity {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
  readonly directory: string;
}

/**
 * The log of one replica. Appends are decided and visible here at once, in memory; file and disk follow in groups.
 *
 * Laws: logStart <= highWatermark <= logEnd, flushed <= written <= logEnd. Everything from the tail's first batch to the end is in
 * memory; everything below `written` is in the files. A batch given to an append belongs to the log and changes no more.
 */
export class PartitionLog {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
  readonly directory: string;
  readonly #around: LogSurroundings;
  readonly #segments: SegmentList;
  readonly #epochs: EpochCheckpoint;
  #producers: ProducerStates;
  readonly #tail: LogTail;
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  readonly #listeners = new Set<() => void>();
  #logStartOffset: Offset;
  #logEndOffset: Offset;
  #highWatermark: Offset;
  #failure: Error | undefined;
  /** Set while the files are cut: nothing is appended meanwhile. */
  #cutting = 0;
  #cuts: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(identity: LogIdentity, loaded: LoadedLog, highWatermark: Offset, around: LogSurroundings) {
    this.topic = identity.topic;
    this.partition = identity.partition;
    this.topicId = identity.topicId;
    this.directory = identity.directory;
    this.#around = around;
    this.#segments = loaded.segments;
    this.#epochs = loaded.epochs;
    this.#producers = loaded.producers;
    this.#logStartOffset = loaded.logStartOffset;
    this.#logEndOffset = loaded.logEndOffset;
    this.#highWatermark = Math.min(Math.max(highWatermark, loaded.logStartOffset), loaded.logEndOffset);
    this.#writer = new LogWriter(
      {
        epochs: loaded.epochs,
        writeCaching: () => this.config.writeCaching,
        retire: (closed) => this.#segments.retire(closed),
        create: (segment) => this.#segments.create(segment),
        onProgress: () => this.#progressed(),
        onFailure: (error) => this.#fail(error),
      },
      this.#segments.active,
      loaded.logEndOffset,
    );
    this.#tail = new LogTail(around.tailCache, () => this.#writer.written.offset);
    this.#reader = new LogReader(this.#segments, this.#tail);
  }

  /** May be replaced at any time; what is stored stays as it is. */
  get config(): LogConfig {
    return this.#segments.config;
  }

  set config(config: LogConfig) {
    this.#segments.config = config;
  }

  get logStartOffset(): Offset {
    return this.#logStartOffset;
  }

  /** Exclusive; moves at once at an append. */
  get logEndOffset(): Offset {
    return this.#logEndOffset;
  }

  /** Everything below it has been handed to the operating system. */
  get writtenOffset(): Offset {
    return this.#writer.written.offset;
  }

  /** Everything below it is durable, or with write caching written: what an acknowledgement may count. */
  get flushedOffset(): Offset {
    return this.#writer.flushed.offset;
  }

  /** Everything below it is durable, whatever write caching says: what a checkpoint may promise. */
  get recoveryPoint(): Offset {
    return this.#writer.syncedOffset;
  }

  get highWatermark(): Offset {
    return this.#highWatermark;
  }

  /** Of the last entry of the epoch cache, which may be of a leader that wrote nothing yet; -1: none. */
  get latestEpoch(): LeaderEpoch {
    return this.#epochs.cache.latestEpoch;
  }

  /** Of the last batch; -1: the log is empty. */
  get lastBatchEpoch(): LeaderEpoch {
    const { entries } = this.#epochs.cache;
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i];
      if (entry !== undefined && entry.startOffset < this.#logEndOffset) return entry.epoch;
    }
    return NONE;
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#segments.sizeBytes;
  }

  /** Set once: the first failed write or sync, or damage. The log takes no more appends and answers no reads. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Checks, stamps and appends one produced batch; its memory belongs to the log from now on. Nothing is appended when it throws: ApiError CORRUPT_MESSAGE,
   * INVALID_RECORD, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE, INVALID_TIMESTAMP,
   * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR.
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
    const known = header.producerId === NONE ? undefined : this.#producers.check(header);
    const logAppendTimeMs = this.config.timestampType === 'LogAppendTime' ? nowMs : NONE;
    if (known !== undefined) {
      const firstOffset = known.lastOffset - known.offsetDelta;
      return { firstOffset, lastOffset: known.lastOffset, logAppendTimeMs, duplicate: true };
    }
    const stored = toStoredBatch(batch, header, this.config, nowMs);
    const baseOffset = this.#logEndOffset;
    if (leaderEpoch > this.latestEpoch) this.assignEpoch(leaderEpoch, baseOffset);
    stampBatch(stored, { baseOffset, leaderEpoch });
    const lastOffset = baseOffset + header.lastOffsetDelta;
    const maxTimestamp = logAppendTimeMs === NONE ? header.maxTimestamp : logAppendTimeMs;
    this.#append(stored, lastOffset, maxTimestamp);
    if (header.producerId !== NONE) this.#producers.record(readBatchHeader(stored));
    return { firstOffset: baseOffset, lastOffset, logAppendTimeMs, duplicate: false };
  }

  /**
   * Appends what a leader of `leaderEpoch` sent, as it stored it: all of it or, when something is wrong with any batch, nothing. Each
   * element holds one or more whole batches and belongs to the log from now on. Throws ApiError CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR.
   */
  appendAsFollower(
    batches: readonly Uint8Array[],
    leaderEpoch: LeaderEpoch,
  ): { readonly lastOffset: Offset } {
    this.#assertAppendable();
    for (const { header, bytes } of checkFetchedBatches(batches, this, leaderEpoch)) {
      if (header.leaderEpoch > this.latestEpoch) this.assignEpoch(header.leaderEpoch, header.baseOffset);
      this.#append(bytes, header.lastOffset, header.maxTimestamp);
      this.#producers.record(header);
    }
    return { lastOffset: this.#logEndOffset - 1 };
  }

  #append(batch: Uint8Array, lastOffset: Offset, maxTimestamp: WallMs): void {
    const appended = { lastOffset, maxTimestamp, sizeBytes: batch.length };
    if (this.#segments.mustRoll(appended))
      this.#segments.roll(this.#logEndOffset, encodeProducerSnapshot(this.#producers));
    this.#segments.append(appended);
    this.#logEndOffset = lastOffset + 1;
    this.#tail.push(batch);
    this.#writer.enqueue(this.#segments.active, batch, this.#logEndOffset);
  }

  /** Resolves when everything below `offset` is written; rejects with ApiError when the log is cut below it or fails. */
  whenWritten(offset: Offset): Promise<void> {
    return this.#writer.written.wait(offset);
  }

  /** Resolves when everything below `offset` is flushed; rejects with ApiError when the log is cut below it or fails. */
  whenFlushed(offset: Offset): Promise<void> {
    return this.#writer.flushed.wait(offset);
  }

  /** Calls `listener` after writtenOffset or flushedOffset moved, or the log failed. Returns how to stop that. */
  onProgress(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Whole batches from the one that holds `fromOffset`, all ending below `upperBound`; empty when there is none yet. At once and as the same
   * memory that was appended when the tail has them, else from the file. Throws (or rejects with) ApiError OFFSET_OUT_OF_RANGE
   * outside [logStart, logEnd], KAFKA_STORAGE_ERROR.
   */
  read(fromOffset: Offset, options: ReadOptions): LogRead | Promise<LogRead> {
    this.#assertOnline();
    if (fromOffset < this.#logStartOffset || fromOffset > this.#logEndOffset)
      throw new ApiError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${fromOffset} is outside [${this.#logStartOffset}, ${this.#logEndOffset}]`,
      );
    const upperBound = Math.min(options.upperBound, this.#logEndOffset);
    if (fromOffset >= upperBound) return EMPTY_READ;
    const { maxBytes, atLeastOne } = options;
    const again = (): LogRead | Promise<LogRead> => this.read(fromOffset, options);
    const read = this.#reader.read(fromOffset, { maxBytes, atLeastOne, upperBound }, again);
    return read instanceof Promise ? read.catch((error: unknown) => this.#refuseRead(error)) : read;
  }

  #refuseRead(error: unknown): never {
    if (error instanceof ApiError || error instanceof AssertionError) throw error;
    if (isReadFatal(error) && !this.#closed) this.#fail(error);
    throw storageRefusal(error);
  }

  /** The first record of `timestampMs` or later, up to the end of the log. Rejects like {@link read}. */
  async offsetForTimestamp(timestampMs: WallMs): Promise<TimestampOffset | undefined> {
    const segment = this.#segments.all.find((one) => one.largestTimestampMs >= timestampMs);
    if (segment === undefined) return undefined;
    const known = segment.index?.times.lookup(timestampMs);
    return searchTimestamp(this, known ?? segment.baseOffset, timestampMs);
  }

  /** The first record that bears the largest timestamp; undefined: there is none. Rejects like {@link read}. */
  async maxTimestamp(): Promise<TimestampOffset | undefined> {
    const largest = this.#segments.all.reduce(
      (max, segment) => Math.max(max, segment.largestTimestampMs),
      NONE,
    );
    return largest === NONE ? undefined : this.offsetForTimestamp(largest);
  }

  /**
   * `epoch` begins at `startOffset` in this log. Known here at once, and on disk before anything at or after that offset
   * counts as flushed.
   */
  assignEpoch(epoch: LeaderEpoch, startOffset: Offset): void {
    if (this.#epochs.cache.assign(epoch, startOffset)) this.#epochs.touch();
  }

  /** See EpochCache.endOffsetFor: the largest epoch at or below `epoch` and its end, or undefined. */
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd | undefined {
    return this.#epochs.cache.endOffsetFor(epoch, this.#logEndOffset);
  }

  /** Clamped to [logStart, logEnd]. */
  setHighWatermark(offset: Offset): void {
    this.#highWatermark = Math.min(Math.max(offset, this.#logStartOffset), this.#logEndOffset);
  }

  /**
   * Removes every batch that ends at or after `offset`, and the epochs that begin there or later. Readers see it at once; it
   * resolves when the files are cut, durably. The end may then be below `offset`, if that lay within a batch. Until then
   * appends are refused with NOT_LEADER_OR_FOLLOWER. Rejects with KAFKA_STORAGE_ERROR.
   */
  truncateTo(offset: Offset): Promise<void> {
    this.#assertOnline();
    if (offset < this.#logStartOffset) return this.truncateFullyAndStartAt(offset);
    if (this.#epochs.cache.truncateFromEnd(offset)) this.#epochs.touch();
    if (offset >= this.#logEndOffset) return this.#whenEpochsSettled();
    this.#beginCut(offset);
    return this.#cut(async () => {
      const endOffset = await findBatchBoundary(this.#segments, offset);
      if (endOffset < this.#logStartOffset) return this.#emptyAt(this.#logStartOffset);
      if (endOffset < this.#logEndOffset) this.#endsAt(endOffset);
      if (this.#epochs.cache.truncateFromEnd(endOffset)) this.#epochs.touch();
      await this.#around.lowerCheckpoints(this);
      await truncateSegments(this.#segments, endOffset);
      this.#producers = await rebuildProducers(this.#segments, endOffset, this.#around.logger);
    });
  }

  /** Empties the log, epochs and producers included; it goes on at `offset`, which may be anywhere. */
  truncateFullyAndStartAt(offset: Offset): Promise<void> {
    this.#assertOnline();
    this.#logStartOffset = Math.min(this.#logStartOffset, offset);
    this.#beginCut(this.#logStartOffset);
    if (this.#epochs.cache.clear()) this.#epochs.touch();
    this.#producers.clear();
    return this.#cut(() => this.#emptyAt(offset));
  }

  async #emptyAt(offset: Offset): Promise<void> {
    await this.#around.saveCheckpoints();
    await replaceSegments(this.#segments, offset);
    this.#logStartOffset = offset;
    this.#endsAt(offset);
    this.#producers.clear();
  }

  /**
   * The log begins at `offset` now, at most the high watermark; segments wholly below it are removed. Readers see it at
   * once. Throws (rejects) ApiError OFFSET_OUT_OF_RANGE above the high watermark, KAFKA_STORAGE_ERROR.
   */
  async advanceLogStart(offset: Offset): Promise<void> {
    this.#assertOnline();
    if (offset > this.#highWatermark)
      throw new ApiError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${offset} is above the high watermark ${this.#highWatermark}`,
      );
    if (offset <= this.#logStartOffset) return;
    this.#logStartOffset = offset;
    if (this.#epochs.cache.truncateFromStart(offset)) this.#epochs.touch();
    await this.#exclusively(async () => {
      for (let next = this.#segments.all[1]; next !== undefined; next = this.#segments.all[1]) {
        if (next.baseOffset > this.#logStartOffset) break;
        this.#reader.invalidate();
        await this.#segments.removeFirst();
      }
      await this.#epochs.settled();
      // What is left of the first segment hides behind the checkpoint alone.
      if (this.#segments.all[0]?.baseOffset !== this.#logStartOffset) await this.#around.saveCheckpoints();
    });
  }

  /** Removes whole segments that retention.ms and retention.bytes no longer keep; never one at or above the high watermark. */
  async applyRetention(nowMs: WallMs): Promise<void> {
    this.#producers.expire(nowMs - this.config.producerIdExpirationMs);
    const offset = retainedFrom(this.#segments, this.config, nowMs, this.#highWatermark);
    if (offset > this.#logStartOffset) await this.advanceLogStart(offset);
  }

  /** Writes and syncs everything, saves indexes and producers, closes the files. True: all of it is on disk. */
  async close(): Promise<boolean> {
    if (this.#closed) return this.#failure === undefined;
    await this.#cuts;
    this.#closed = true;
    await this.#writer.idle();
    await this.#writer.syncAll();
    if (this.#failure === undefined) {
      try {
        await this.#segments.active.saveIndex();
        await saveSnapshot(this.#around.files, this.directory, this.#logEndOffset, this.#producers);
      } catch (error) {
        this.#fail(error);
      }
    }
    await this.release();
    return this.#failure === undefined;
  }

  /** Closes the files as they are: the log is about to be deleted, or has failed. */
  async release(): Promise<void> {
    this.#closed = true;
    await this.#writer.idle();
    this.#tail.truncateTo(0);
    this.#reader.invalidate();
    for (const segment of this.#segments.all) {
      this.#segments.pool.forget(segment);
      await segment.close().catch(() => {});
    }
  }

  /** The part of a cut that is seen at once. */
  #beginCut(offset: Offset): void {
    this.#cutting++;
    this.#reader.invalidate();
    this.#tail.truncateTo(offset);
    this.#endsAt(offset);
  }

  #endsAt(offset: Offset): void {
    this.#logEndOffset = offset;
    this.#highWatermark = Math.min(Math.max(this.#highWatermark, this.#logStartOffset), offset);
    this.#writer.retreat(
      offset,
      new ApiError('NOT_LEADER_OR_FOLLOWER', `the log was cut to offset ${offset}`),
    );
  }

  /** The files follow a cut that readers have seen. Afterwards they are the log, durably, and appends go on. */
  async #cut(task: () => Promise<void>): Promise<void> {
    await this.#exclusively(async () => {
      await this.#writer.idle();
      await task();
      await this.#epochs.settled();
      this.#reader.invalidate();
      this.#writer.restart(this.#segments.active, this.#logEndOffset);
    }).finally(() => {
      this.#cutting--;
    });
    this.#progressed();
  }

  /** One after another; the first that fails takes the log offline. */
  #exclusively(task: () => Promise<void>): Promise<void> {
    const done = this.#cuts.then(async () => {
      this.#assertOnline();
      try {
        await task();
      } catch (error) {
        this.#fail(error);
      }
      this.#assertOnline();
    });
    this.#cuts = done.catch(() => {});
    return done;
  }

  #whenEpochsSettled(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#epochs.settled();
    });
  }

  #assertAppendable(): void {
    this.#assertOnline();
    if (this.#cutting > 0) throw new ApiError('NOT_LEADER_OR_FOLLOWER', 'the log is being cut');
  }

  #assertOnline(): void {
    if (this.#failure !== undefined) throw storageRefusal(this.#failure);
    if (this.#closed) throw new ApiError('KAFKA_STORAGE_ERROR', 'the log is closed');
  }

  /** For the one who found the log damaged: `failure` is set, and that is for good. */
  takeOffline(error: Error): void {
    this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    const { topic, partition } = this;
    this.#around.logger.error({ topic, partition, error: this.#failure.message }, 'log is offline');
    this.#writer.fail(storageRefusal(error));
    this.#reader.invalidate();
    this.#tail.truncateTo(0);
    this.#notify();
  }

  #progressed(): void {
    this.#around.tailCache.trim();
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

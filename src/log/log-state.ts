import { ApiError, type LeaderEpoch, NONE, type Offset, type PartitionId, type Uuid } from '../base/index.ts';
import type { Files, Logger } from '../env/index.ts';
import { LogWriter } from './append/log-writer.ts';
import type { EpochCheckpoint } from './epoch/epoch-checkpoint.ts';
import type { LogCounters } from './log-metrics.ts';
import type { LoadedLog } from './open/open-log.ts';
import { encodeProducerSnapshot } from './producer/producer-snapshot.ts';
import type { ProducerStates } from './producer/producer-states.ts';
import { LogReader } from './read/log-reader.ts';
import { LogTail, type TailCache } from './read/tail-cache.ts';
import type { DelayedRemovals } from './segment/delayed-removals.ts';
import type { Segment } from './segment/segment.ts';
import type { SegmentList } from './segment/segment-list.ts';
import type { SegmentPool } from './segment/segment-pool.ts';
import { describeFailure, storageRefusal, wayOut } from './storage-refusal.ts';

/** What the logs of one directory share. */
export interface LogSurroundings {
  readonly files: Files;
  readonly logger: Logger;
  readonly tailCache: TailCache;
  readonly pool: SegmentPool;
  readonly counters: LogCounters;
  readonly removals: DelayedRemovals;
  /** A log has failed, for good: its directory may have. */
  readonly handleLogFailure: (log: LogIdentity, error: unknown) => void;
  /** Saves the checkpoints of all logs. */
  readonly saveCheckpoints: () => Promise<void>;
  /** The same, when what is saved promises more of this log than it holds now. */
  readonly lowerCheckpoints: (log: LogPromise) => Promise<void>;
}

/** The part of a log that checkpoints speak of. */
export interface LogPromise extends LogIdentity {
  readonly recoveryPoint: Offset;
  readonly logStartOffset: Offset;
  readonly firstDirtyOffset: Offset;
}

export interface LogIdentity {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
  readonly directory: string;
}

/** The parts of one log and the offsets they agree on; its owners are PartitionLog and LogCutter. */
export class LogState implements LogPromise {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
  readonly directory: string;
  readonly around: LogSurroundings;
  readonly segments: SegmentList;
  readonly epochs: EpochCheckpoint;
  producers: ProducerStates;
  readonly tail: LogTail;
  readonly writer: LogWriter;
  readonly reader: LogReader;
  readonly listeners = new Set<() => void>();
  /** Told of each new segment whose file is there. */
  onCreate: (segment: Segment) => void = () => {};
  logStartOffset: Offset;
  /** The log start that no crash takes back; trails logStartOffset. */
  durableLogStartOffset: Offset;
  logEndOffset: Offset;
  highWatermark: Offset;
  /** Below it the log was compacted; a hint, see planCleaning. */
  firstDirtyOffset: Offset;
  /** The recovery point is to be no higher. */
  soundTo: Offset = Number.MAX_SAFE_INTEGER;
  closed = false;
  /** Times that batches at the end were taken away, or all of them: others may stand there since. */
  cuts = 0;
  #failure: Error | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(identity: LogIdentity, loaded: LoadedLog, highWatermark: Offset, around: LogSurroundings) {
    this.topic = identity.topic;
    this.partition = identity.partition;
    this.topicId = identity.topicId;
    this.directory = identity.directory;
    this.around = around;
    this.segments = loaded.segments;
    this.epochs = loaded.epochs;
    this.producers = loaded.producers;
    this.logStartOffset = loaded.logStartOffset;
    this.durableLogStartOffset = loaded.logStartOffset;
    this.logEndOffset = loaded.logEndOffset;
    this.firstDirtyOffset = loaded.firstDirtyOffset;
    this.highWatermark = Math.min(Math.max(highWatermark, loaded.logStartOffset), loaded.logEndOffset);
    this.writer = new LogWriter(
      {
        epochs: loaded.epochs,
        write: (segment, buffers) => this.segments.write(segment, buffers),
        sync: (segment) => around.counters.timeFlush(() => this.segments.sync(segment)),
        writeCaching: () => this.segments.config.writeCaching,
        retire: (segment) => this.segments.retire(segment),
        create: async (segment) => {
          await this.segments.create(segment);
          this.onCreate(segment);
        },
        onProgress: () => this.progressed(),
        onFailure: (error) => this.fail(error),
      },
      this.segments.active,
      loaded.logEndOffset,
    );
    this.tail = new LogTail(around.tailCache, () => this.writer.written.offset);
    // What a cut has taken from memory may still be in the files: nothing is known of it here.
    const known = {
      writtenEnd: () =>
        this.soundTo === Number.MAX_SAFE_INTEGER ? this.writer.written.offset : Number.MAX_SAFE_INTEGER,
      epochAt: (offset: Offset) =>
        offset < this.logEndOffset ? this.epochs.cache.epochAt(offset) : undefined,
    };
    this.reader = new LogReader(this.segments, this.tail, known, around.counters);
    this.segments.onFailure = (error) => this.fail(error);
  }

  /** Everything below it is durable, and a batch ends there: what a checkpoint may promise. */
  get recoveryPoint(): Offset {
    return Math.min(this.writer.syncedOffset, this.soundTo);
  }

  /** Of the last batch; -1: the log is empty. */
  get lastBatchEpoch(): LeaderEpoch {
    return this.epochs.cache.epochAt(this.logEndOffset - 1) ?? NONE;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** See PartitionLog. */
  assignEpoch(epoch: LeaderEpoch, startOffset: Offset): void {
    if (this.epochs.cache.assign(epoch, startOffset)) this.epochs.touch();
  }

  /** Begins a new active segment, in memory: its file comes with what is written to it next. */
  roll(): void {
    this.segments.roll(this.logEndOffset, encodeProducerSnapshot(this.producers));
  }

  /** Runs after all that was given before it; the first task that fails takes the log offline. */
  exclusively(task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      this.assertOnline();
      try {
        await task();
      } catch (error) {
        this.fail(error);
      }
      this.assertOnline();
    });
    this.#last = done.catch(() => {});
    return done;
  }

  /** Resolves after all tasks given to {@link exclusively} so far. */
  whenQuiet(): Promise<void> {
    return this.#last;
  }

  assertOnline(): void {
    if (this.#failure !== undefined) throw storageRefusal(this.#failure);
    if (this.closed) throw new ApiError('KAFKA_STORAGE_ERROR', 'the log is closed');
  }

  /**
   * For good: nothing is written any more, who waits is turned away, nothing is read. `elsewhere`: a person has been told
   * what failed.
   */
  fail(error: unknown, told: 'here' | 'elsewhere' = 'here'): void {
    if (this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    const { topic, partition, directory } = this;
    const fields = { topic, partition, directory, ...describeFailure(error), wayOut: wayOut(error) };
    if (told === 'here') this.around.logger.error(fields, 'log is offline');
    this.writer.fail(storageRefusal(error));
    this.reader.invalidate();
    this.tail.clear();
    this.#notify();
    this.around.handleLogFailure(this, error);
  }

  progressed(): void {
    this.around.tailCache.trim();
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.listeners) listener();
  }
}

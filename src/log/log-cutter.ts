import {
  ApiError,
  CorruptionError,
  EnvironmentError,
  NONE,
  type Offset,
  type WallMs,
} from '../base/index.ts';
import type { LogState } from './log-state.ts';
import { rebuildProducers } from './producer/producer-replay.ts';
import { ProducerStates } from './producer/producer-states.ts';
import { isReadFatal } from './read/log-reader.ts';
import { retainedFrom } from './retention.ts';
import { beginAnew, decideRestart, endRestart } from './segment/begin-anew.ts';
import { doomSegment } from './segment/doomed-segment.ts';
import { isIdleTooLong } from './segment/roll-age.ts';
import { findBatchBoundary, truncateSegments } from './segment/truncate-segments.ts';
import { storageRefusal } from './storage-refusal.ts';

/**
 * Takes away from a log, at its end or at its start. In memory at once, so that nobody reads or counts what
 * goes; then, when nothing is being written, in the files. What checkpoints promise is lowered before the
 * files are cut, never after: a crash between must not look like damage.
 */
export class LogCutter {
  readonly #log: LogState;
  /** Cuts whose files are not done: nothing is appended meanwhile. */
  #underWay = 0;
  /** Where the log will begin after them, when they empty it. */
  #nextStart: Offset = Number.MAX_SAFE_INTEGER;

  /** Where the log begins anew, until files and checkpoints say so. */
  #restart: Offset | undefined;

  constructor(log: LogState) {
    this.#log = log;
    // A head that had to wait for the file of its successor.
    log.onCreate = ({ baseOffset }) => {
      if (baseOffset <= log.logStartOffset) log.exclusively(() => this.#removeHead()).catch(() => {});
    };
  }

  get isCutting(): boolean {
    return this.#underWay > 0;
  }

  /** See PartitionLog. */
  truncateTo(offset: Offset): Promise<void> {
    const log = this.#log;
    log.assertOnline();
    if (offset < Math.min(log.logStartOffset, this.#nextStart)) return this.truncateFullyAndStartAt(offset);
    if (offset >= log.logEndOffset) {
      if (log.epochs.cache.truncateFromEnd(offset)) log.epochs.touch();
      return log.exclusively(async () => log.epochs.settled());
    }
    this.#begin(Math.max(offset, log.logStartOffset));
    log.epochs.cache.truncateFromEnd(offset);
    return this.#cut(async () => {
      const endOffset = await findBatchBoundary(log.segments, offset);
      if (endOffset < log.logStartOffset) {
        // The start lies within the batch that goes first. What producers sent before it is in the log, hidden.
        const producers = await rebuildProducers(log.segments, endOffset, log.around.logger);
        return this.#emptyAt(log.logStartOffset, producers);
      }
      if (endOffset < log.logEndOffset) this.#endsAt(endOffset);
      if (this.#underWay === 1) log.soundTo = Number.MAX_SAFE_INTEGER;
      log.epochs.cache.truncateFromEnd(endOffset);
      await log.around.lowerCheckpoints(log);
      await this.#changeFiles(() => truncateSegments(log.segments, endOffset));
      log.producers = await rebuildProducers(log.segments, endOffset, log.around.logger);
    });
  }

  /** See PartitionLog. */
  truncateFullyAndStartAt(offset: Offset): Promise<void> {
    const log = this.#log;
    log.assertOnline();
    this.#begin(log.logStartOffset);
    this.#nextStart = offset;
    log.epochs.cache.clear();
    log.producers.clear();
    return this.#cut(async () => {
      await this.#emptyAt(offset, new ProducerStates());
      const { cache } = log.epochs;
      const { latestEpoch } = cache;
      cache.clear();
      // One that has begun meanwhile begins here.
      if (latestEpoch !== NONE) cache.assign(latestEpoch, offset);
    });
  }

  /** See PartitionLog. */
  async advanceLogStart(offset: Offset): Promise<void> {
    const log = this.#log;
    log.assertOnline();
    if (offset > log.highWatermark)
      throw new ApiError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${offset} is above the high watermark ${log.highWatermark}`,
      );
    if (offset > log.logStartOffset) {
      log.logStartOffset = offset;
      log.progressed();
    }
    if (offset <= log.durableLogStartOffset) return;
    await log.exclusively(async () => {
      const { logStartOffset } = log;
      if (logStartOffset > log.durableLogStartOffset) await this.#removeHead();
    });
    const saved = log.logStartOffset;
    // What is left of the first segment hides behind the checkpoint alone.
    if (log.segments.all[0]?.baseOffset !== saved) await this.#saveLogStart();
    log.durableLogStartOffset = Math.max(log.durableLogStartOffset, Math.min(saved, log.logStartOffset));
    // Not before: a crash that brings the records back must find their epochs. What is below the start harms nobody.
    if (log.epochs.cache.truncateFromStart(log.durableLogStartOffset)) log.epochs.touch();
    log.progressed();
  }

  /** See PartitionLog. */
  async applyRetention(nowMs: WallMs): Promise<void> {
    const log = this.#log;
    const { segments, cuts } = log;
    log.producers.expire(nowMs, segments.config.producerIdExpirationMs);
    const retained = await retainedFrom(log, nowMs).catch((error: unknown) => this.#refuseLook(error));
    if (log.closed || log.failure !== undefined || this.isCutting) return;
    // Where old segments were looked at, new records may stand.
    if (log.cuts !== cuts) return;
    const { active, config } = segments;
    const allGoes = retained === log.logEndOffset && retained > active.baseOffset;
    // To the end as it was before something was appended: that keeps its segment.
    const offset = allGoes ? retained : Math.min(retained, active.baseOffset);
    if (allGoes || isIdleTooLong(config, active, nowMs)) this.#roll();
    if (offset > log.logStartOffset) await this.advanceLogStart(offset);
  }

  /** An index is read for it, which may be made anew from the batches. */
  #refuseLook(error: unknown): never {
    if (isReadFatal(error) && !this.#log.closed) this.#log.fail(error);
    throw error instanceof EnvironmentError || error instanceof CorruptionError
      ? storageRefusal(error)
      : error;
  }

  #roll(): void {
    this.#log.roll();
    this.#log.writer.begin(this.#log.segments.active, this.#log.logEndOffset);
  }

  async #removeHead(): Promise<void> {
    const { segments, reader, around } = this.#log;
    for (let next = segments.all[1]; next !== undefined; next = segments.all[1]) {
      // A segment whose file is not made yet must not become the only one.
      if (next.baseOffset > this.#log.logStartOffset || !next.exists) break;
      // Readers under way finish, with what they have open.
      reader.noteMoved();
      const doomed = await doomSegment(segments, segments.takeFirst(), () => reader.invalidate());
      await around.removals.add(doomed, segments.config.fileDeleteDelayMs);
    }
  }

  /** The checkpoints are of all logs: a disk too full for them takes none offline. */
  async #saveLogStart(): Promise<void> {
    try {
      await this.#log.around.saveCheckpoints();
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      throw new ApiError('KAFKA_STORAGE_ERROR', `the log start could not be saved (${error.reason})`);
    }
    // Of a directory that has failed nothing is saved any more.
    this.#log.assertOnline();
  }

  async #emptyAt(offset: Offset, producers: ProducerStates): Promise<void> {
    const log = this.#log;
    // Nor may the checkpoints promise anything above the new end.
    log.soundTo = Math.min(log.soundTo, offset);
    log.firstDirtyOffset = Math.min(log.firstDirtyOffset, offset);
    await log.around.saveCheckpoints();
    await this.#changeFiles(async () => {
      await decideRestart(log.segments, offset, producers);
      await beginAnew(log.segments, offset, producers);
      log.tail.clear();
      log.logStartOffset = offset;
      log.durableLogStartOffset = offset;
      this.#endsAt(offset);
    });
    // A lower log start not before: it would bring back what lay below the old one.
    await log.around.lowerCheckpoints(log);
    log.producers = producers;
    this.#restart = offset;
  }

  async #endRestart(): Promise<void> {
    const offset = this.#restart;
    this.#restart = undefined;
    if (offset !== undefined) await endRestart(this.#log.around.files, this.#log.directory, offset);
  }

  /** Reads that have segments in hand that go begin again, when those are gone. */
  async #changeFiles(task: () => Promise<void>): Promise<void> {
    // Of a log that has failed meanwhile the checkpoints keep what they promised.
    if (this.#log.failure !== undefined) throw this.#log.failure;
    const release = this.#log.reader.hold();
    try {
      await task();
    } finally {
      release();
    }
  }

  /** The part of a cut that is seen at once. */
  #begin(offset: Offset): void {
    this.#underWay++;
    this.#log.cuts++;
    this.#log.epochs.hold();
    // Until the batch is found that ends there, no offset but this is known to be between two.
    const { all } = this.#log.segments;
    const below = all[this.#log.segments.indexOf(offset)]?.baseOffset ?? 0;
    this.#log.soundTo = Math.min(this.#log.soundTo, below);
    this.#log.reader.invalidate();
    this.#log.tail.truncateTo(offset);
    this.#endsAt(offset);
  }

  #endsAt(offset: Offset): void {
    const log = this.#log;
    log.logEndOffset = offset;
    log.firstDirtyOffset = Math.min(log.firstDirtyOffset, offset);
    log.highWatermark = Math.min(Math.max(log.highWatermark, log.logStartOffset), offset);
    log.writer.retreat(offset, new ApiError('NOT_LEADER_OR_FOLLOWER', `the log was cut to offset ${offset}`));
  }

  /** The files follow. Afterwards they are the log, durably, and appends go on. */
  async #cut(task: () => Promise<void>): Promise<void> {
    const log = this.#log;
    const done = log.exclusively(async () => {
      await log.writer.idle();
      await task();
      // Not before: a crash in between must not leave records whose epochs nobody knows.
      if (this.#underWay === 1) log.epochs.letGo();
      await log.epochs.settled();
      await this.#endRestart();
      log.writer.restart(log.segments.active, log.logEndOffset);
    });
    try {
      await done;
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) {
        log.soundTo = Number.MAX_SAFE_INTEGER;
        this.#nextStart = Number.MAX_SAFE_INTEGER;
      }
    }
    log.progressed();
  }
}

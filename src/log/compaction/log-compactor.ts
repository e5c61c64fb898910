/**
 * Compacts one log: a map of the keys of the dirty section, then the segments up to its end, group by group, each
 * written anew beside the old ones and swapped in.
 *
 * Everything but the swaps runs beside appends, cuts and retention, on segments that are closed and durable. A swap has
 * the log to itself and is not made when anything was taken from the log since the cleaning began. Groups go in the
 * order of the log, so that wherever it ends, what replaces a record is still there.
 *
 * Source: Kafka's Cleaner.clean.
 */
import type { Offset, WallMs } from '../../base/index.ts';
import { assert } from '../../base/index.ts';
import type { LogState } from '../log-state.ts';
import { loadSnapshot } from '../producer/producer-replay.ts';
import { BATCH_HEADER_BYTES, batchMaxTimestamp, readBatchHeader } from '../record/index.ts';
import type { Segment } from '../segment/segment.ts';
import { batchChunks } from './batch-chunks.ts';
import { CleanedFile } from './cleaned-file.ts';
import { groupSegments } from './core/group-segments.ts';
import { type CleaningPlan, type ClosedSegment, planCleaning } from './core/plan-cleaning.ts';
import { RetentionFilter } from './core/retention-filter.ts';
import { KeyMapBuilder } from './map-keys.ts';
import { cleanedPath, decideSwap, finishSwap } from './swap-files.ts';

export interface CleaningResources {
  readonly nowMs: WallMs;
  /** Memory for the keys. */
  readonly keyMapBytes: number;
  /** Of SECRET_BYTES; another one for each cleaning. */
  readonly secret: Uint8Array;
  /** Resolves when that many bytes more may be read or written; at once or rejecting when the signal has aborted. */
  readonly pace: (bytes: number, signal: AbortSignal) => Promise<void>;
}

export type CleaningOutcome =
  | {
      readonly kind: 'cleaned';
      /** The log is clean below it now. */
      readonly firstDirtyOffset: Offset;
      readonly bytesBefore: number;
      readonly bytesAfter: number;
      readonly recordsBefore: number;
      readonly recordsAfter: number;
      /** Records without a key, from before the topic was compacted. */
      readonly keylessDropped: number;
      /** Batches that cannot be opened, and stay. */
      readonly unreadable: number;
    }
  /** The log was cut or closed meanwhile; what was swapped until then is good. */
  | { readonly kind: 'given-up' }
  /** The memory does not hold the keys of the first batch. */
  | { readonly kind: 'no-room'; readonly records: number };

type Cleaned = Extract<CleaningOutcome, { kind: 'cleaned' }>;

interface ClosedFile extends ClosedSegment {
  readonly segment: Segment;
  readonly indexBytes: number;
}

/** One entry of an offset index. */
const ENTRY_BYTES = 8;

/** Thrown through the work when it has become pointless. */
class GivenUp extends Error {}

export class LogCompactor {
  readonly #log: LogState;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(log: LogState) {
    this.#log = log;
  }

  /** True: its topic is compacted, and it can be. */
  get isWanted(): boolean {
    const { segments, failure, closed } = this.#log;
    return segments.config.compacts && failure === undefined && !closed && !this.#stop.signal.aborted;
  }

  /** Rejects with EnvironmentError when a segment cannot be read. */
  async plan(nowMs: WallMs): Promise<CleaningPlan> {
    const { config } = this.#log.segments;
    if (config.maxCompactionLagMs < Number.MAX_SAFE_INTEGER) await this.#learnFirstTimestamps();
    const { logStartOffset, highWatermark, firstDirtyOffset } = this.#log;
    const log = { closed: this.#closed(), logStartOffset, highWatermark, firstDirtyOffset };
    return planCleaning(log, config, nowMs);
  }

  /**
   * Cleans what the plan says, or as much of it as the memory for keys covers. One at a time. Rejects with CorruptionError,
   * EnvironmentError; the log is then as it was, or further, and never wrong.
   */
  clean(plan: CleaningPlan, resources: CleaningResources): Promise<CleaningOutcome> {
    const work = new Cleaning(this.#log, this.#closed(), resources, this.#stop.signal);
    const done = work.run(plan).catch((error: unknown): CleaningOutcome => {
      if (work.isPointless || error instanceof GivenUp) return { kind: 'given-up' };
      throw error;
    });
    this.#running = done.catch(() => {});
    return done;
  }

  /** Ends a cleaning under way, for good: the log is about to be closed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** The segments that are whole and on disk. */
  #closed(): ClosedFile[] {
    const { segments, recoveryPoint } = this.#log;
    const closed: ClosedFile[] = [];
    for (const [i, segment] of segments.all.entries()) {
      const next = segments.all[i + 1];
      if (next === undefined || !next.exists || next.baseOffset > recoveryPoint) break;
      closed.push({
        segment,
        baseOffset: segment.baseOffset,
        endOffset: next.baseOffset,
        sizeBytes: segment.writtenBytes,
        indexBytes: Math.ceil(
          (segment.writtenBytes * ENTRY_BYTES) /
            Math.max(segments.config.indexIntervalBytes, BATCH_HEADER_BYTES),
        ),
        largestTimestampMs: segment.largestTimestampMs,
        firstTimestampMs: segment.firstTimestampMs ?? -1,
      });
    }
    return closed;
  }

  async #learnFirstTimestamps(): Promise<void> {
    const { segments, firstDirtyOffset } = this.#log;
    for (const { segment, endOffset } of this.#closed()) {
      if (endOffset <= firstDirtyOffset || segment.firstTimestampMs !== undefined) continue;
      const handle = await segments.files.open(segment.logPath, 'read');
      try {
        const header = Buffer.alloc(BATCH_HEADER_BYTES);
        if ((await handle.read(header, 0)) === header.length)
          segment.firstTimestampMs = batchMaxTimestamp(header);
      } finally {
        await handle.close();
      }
    }
  }
}

/** One run of it. */
class Cleaning {
  readonly #log: LogState;
  readonly #closed: readonly ClosedFile[];
  readonly #resources: CleaningResources;
  readonly #signal: AbortSignal;
  /** Of the reader: whatever else changes the files changes it too. */
  #layout: number;
  #bytesBefore = 0;
  #bytesAfter = 0;

  constructor(
    log: LogState,
    closed: readonly ClosedFile[],
    resources: CleaningResources,
    signal: AbortSignal,
  ) {
    this.#log = log;
    this.#closed = closed;
    this.#resources = resources;
    this.#signal = signal;
    this.#layout = log.reader.layout;
  }

  /** True: what was read may not be what the log is. */
  get isPointless(): boolean {
    return this.#signal.aborted || this.#log.closed || this.#log.reader.layout !== this.#layout;
  }

  async run(plan: CleaningPlan): Promise<CleaningOutcome> {
    const { logStartOffset, segments } = this.#log;
    const { config } = segments;
    const { firstDirtyOffset, endOffset } = plan;
    const { keyMapBytes, secret, nowMs } = this.#resources;
    const builder = new KeyMapBuilder({ firstDirtyOffset, endOffset }, keyMapBytes, secret);
    const refused = await this.#mapKeys(builder, plan);
    if (builder.end === firstDirtyOffset && refused > 0) return { kind: 'no-room', records: refused };
    const mappedEnd = builder.end;
    const filter = new RetentionFilter({
      map: builder.map,
      logStartOffset,
      firstDirtyOffset,
      mappedEnd,
      producerBatches: await this.#producerBatches(endOffset),
      nowMs,
      deleteRetentionMs: config.deleteRetentionMs,
    });
    const files = this.#closed.filter(({ baseOffset }) => baseOffset < mappedEnd);
    const limits = { segmentBytes: config.segmentBytes, indexBytes: config.segmentIndexBytes };
    for (const group of groupSegments(files, limits)) await this.#cleanGroup(group, filter);
    this.#assertGoing();
    return this.#finish(filter, mappedEnd);
  }

  #finish(filter: RetentionFilter, mappedEnd: Offset): Cleaned {
    // A clean section that was not clean: the next time all of it is dirty.
    const firstDirtyOffset = filter.isDirtyBelow ? 0 : mappedEnd;
    this.#log.firstDirtyOffset = firstDirtyOffset;
    return {
      kind: 'cleaned',
      firstDirtyOffset,
      bytesBefore: this.#bytesBefore,
      bytesAfter: this.#bytesAfter,
      recordsBefore: filter.recordsRead,
      recordsAfter: filter.recordsKept,
      keylessDropped: filter.keylessDropped,
      unreadable: filter.unreadable,
    };
  }

  /** Resolves with the records of the batch that had no room; 0: all had. */
  async #mapKeys(builder: KeyMapBuilder, { firstDirtyOffset, endOffset }: CleaningPlan): Promise<number> {
    for (const file of this.#closed) {
      if (file.endOffset <= firstDirtyOffset || file.baseOffset >= endOffset) continue;
      for await (const batches of this.#read(file)) {
        const refused = batches.find((batch) => !builder.add(batch));
        if (refused !== undefined) return refused.header.count;
      }
    }
    return 0;
  }

  /** What repetitions are known by now, and by whoever goes back to the end of what is cleaned. */
  async #producerBatches(endOffset: Offset): Promise<Set<Offset>> {
    const { producers, around, directory } = this.#log;
    const snapshot = await loadSnapshot(around.files, directory, endOffset, around.logger);
    const states = [...producers.all(), ...(snapshot?.states.all() ?? [])];
    return new Set(states.flatMap(({ batches }) => batches.map(({ lastOffset }) => lastOffset)));
  }

  async #cleanGroup(group: readonly ClosedFile[], filter: RetentionFilter): Promise<void> {
    const { files } = this.#log.around;
    const { directory, segments } = this.#log;
    const [first] = group;
    assert(first !== undefined, 'a group has a segment');
    const path = cleanedPath(directory, first.baseOffset);
    const cleaned = await CleanedFile.create(
      files,
      path,
      first.baseOffset,
      segments.config.indexIntervalBytes,
    );
    try {
      const changed = await this.#write(group, filter, cleaned);
      this.#bytesAfter += cleaned.sizeBytes;
      if (changed || group.length > 1) return await this.#swap(group, cleaned);
      await files.remove(path);
    } catch (error) {
      await cleaned.close().catch(() => {});
      await files.remove(path).catch(() => {});
      throw error;
    }
  }

  /** True: the group is not what it was. */
  async #write(
    group: readonly ClosedFile[],
    filter: RetentionFilter,
    cleaned: CleanedFile,
  ): Promise<boolean> {
    const endOffset = group.at(-1)?.endOffset ?? 0;
    let changed = false;
    for (const file of group) {
      this.#bytesBefore += file.sizeBytes;
      for await (const batches of this.#read(file)) {
        for (const { header, bytes } of batches) {
          const kept = filter.filter(bytes, header, header.lastOffset === endOffset - 1);
          if (kept !== bytes) changed = true;
          if (kept !== undefined) cleaned.append(kept === bytes ? header : readBatchHeader(kept), kept);
        }
        const written = await cleaned.drain();
        if (written > 0) await this.#pace(written);
      }
    }
    await cleaned.finish();
    this.#assertGoing();
    assert(cleaned.endOffset === endOffset, 'a cleaned segment ends where its group did', {
      is: cleaned.endOffset,
      was: endOffset,
    });
    return changed;
  }

  async #swap(group: readonly ClosedFile[], cleaned: CleanedFile): Promise<void> {
    const log = this.#log;
    const { segments, around, reader, directory, tail } = log;
    const old = group.map(({ segment }) => segment);
    const made = cleaned.toSegment(around.files, directory);
    const absorbed = old.slice(1).map(({ baseOffset }) => baseOffset);
    await log.exclusively(async () => {
      if (this.isPointless) return;
      const release = reader.hold();
      this.#layout = reader.layout;
      try {
        await decideSwap(around.files, directory, made.baseOffset);
        for (const segment of old) {
          segments.pool.forget(segment);
          await segment.close();
        }
        await finishSwap(around.files, directory, made.baseOffset, absorbed, () => made.saveIndex());
        await made.close();
        segments.replace(old, made);
        // From memory the log would look as if it had not been compacted.
        tail.forgetBelow(cleaned.endOffset);
      } finally {
        release();
      }
    });
    this.#assertGoing();
  }

  /** The batches of a segment as it was when the cleaning began, at the allowed pace. */
  async *#read({ segment, sizeBytes }: ClosedFile) {
    const handle = await this.#log.around.files.open(segment.logPath, 'read');
    try {
      for await (const batches of batchChunks(handle, sizeBytes)) {
        yield batches;
        await this.#pace(batches.reduce((sum, { bytes }) => sum + bytes.length, 0));
      }
    } finally {
      await handle.close();
    }
  }

  async #pace(bytes: number): Promise<void> {
    await this.#resources.pace(bytes, this.#signal);
    this.#assertGoing();
  }

  #assertGoing(): void {
    if (this.isPointless) throw new GivenUp();
  }
}

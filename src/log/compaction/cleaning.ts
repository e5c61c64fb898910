/**
 * One cleaning of one log: a map of the keys of the dirty section, then the segments up to its end, group by group, each
 * written anew beside the old ones and swapped in.
 *
 * Everything but the swaps runs beside appends, cuts and retention, on segments that are closed and durable. A swap has
 * the log to itself. Segments that retention takes meanwhile are left out, and the rest goes on: a log that loses some
 * every few minutes would never be clean otherwise. A cut ends all of it, for what was read may not be the log any more.
 *
 * Groups go in the order of the log, so that wherever it ends, what replaces a record is still there.
 *
 * Source: Kafka's Cleaner.clean.
 */
import type { Offset, WallMs } from '../../base/index.ts';
import { assert } from '../../base/index.ts';
import type { LogState } from '../log-state.ts';
import { loadSnapshot } from '../producer/producer-replay.ts';
import { readBatchHeader } from '../record/index.ts';
import type { Segment } from '../segment/segment.ts';
import { batchChunks } from './batch-chunks.ts';
import { CleanedFile } from './cleaned-file.ts';
import type { CleanedOutcome, CleaningOutcome } from './cleaning-outcome.ts';
import { groupSegments, type SegmentToGroup } from './core/group-segments.ts';
import { GrowthLimit } from './core/growth-limit.ts';
import type { CleaningPlan, ClosedSegment } from './core/plan-cleaning.ts';
import { RetentionFilter } from './core/retention-filter.ts';
import { KeyMapBuilder } from './map-keys.ts';
import { cleanedPath } from './swap-files.ts';
import { swapGroup } from './swap-group.ts';

export interface CleaningResources {
  readonly nowMs: WallMs;
  /** Memory for the keys. */
  readonly keyMapBytes: number;
  /** Of SECRET_BYTES; another one for each cleaning. */
  readonly secret: Uint8Array;
  /** Resolves when that many bytes more may be read or written; at once or rejecting when the signal has aborted. */
  readonly pace: (bytes: number, signal: AbortSignal) => Promise<void>;
}

export interface ClosedFile extends ClosedSegment, SegmentToGroup {
  readonly segment: Segment;
}

/** Thrown through the work when it has become pointless. */
export class GivenUp extends Error {}

/** One run of it. */
export class Cleaning {
  readonly #log: LogState;
  readonly #closed: readonly ClosedFile[];
  readonly #resources: CleaningResources;
  readonly #signal: AbortSignal;
  readonly #cuts: number;
  #bytesBefore = 0;
  #bytesAfter = 0;

  /** `closed`: as they are now. */
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
    this.#cuts = log.cuts;
  }

  /** True: what was read may not be what the log is. */
  get isPointless(): boolean {
    const { closed, failure, cuts } = this.#log;
    return this.#signal.aborted || closed || failure !== undefined || cuts !== this.#cuts;
  }

  async run(plan: CleaningPlan): Promise<CleaningOutcome> {
    this.#assertGoing();
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
    return this.#finish(filter, builder);
  }

  #finish(filter: RetentionFilter, { map, end, firstDirtyOffset: from }: KeyMapBuilder): CleanedOutcome {
    // A clean section that was not clean: the next time all of it is dirty.
    const firstDirtyOffset = filter.isDirtyBelow ? 0 : end;
    this.#log.firstDirtyOffset = firstDirtyOffset;
    return {
      kind: 'cleaned',
      from,
      firstDirtyOffset,
      bytesBefore: this.#bytesBefore,
      bytesAfter: this.#bytesAfter,
      recordsBefore: filter.recordsRead,
      recordsAfter: filter.recordsKept,
      keylessDropped: filter.keylessDropped,
      unreadable: filter.unreadable,
      keyMapUsed: map.count / map.capacityMax,
    };
  }

  /** Resolves with the records of the batch that had no room; 0: all had. */
  async #mapKeys(builder: KeyMapBuilder, { firstDirtyOffset, endOffset }: CleaningPlan): Promise<number> {
    for (const file of this.#closed) {
      if (file.endOffset <= firstDirtyOffset || file.baseOffset >= endOffset) continue;
      try {
        for await (const batches of this.#read(file)) {
          const refused = batches.find((batch) => !builder.add(batch));
          if (refused !== undefined) return refused.header.count;
        }
      } catch (error) {
        // Retention has taken it, and with it whatever its keys would have replaced.
        if (error instanceof GivenUp || this.#areHere([file])) throw error;
        builder.pass(file.endOffset);
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

  /** Without the segments that leave the log meanwhile. */
  async #cleanGroup(group: readonly ClosedFile[], filter: RetentionFilter): Promise<void> {
    for (let left = group; ; filter.beginAgain()) {
      left = left.filter((file) => this.#areHere([file]));
      const [first, ...others] = left;
      if (first === undefined) return;
      try {
        if (await this.#rewrite([first, ...others], filter)) return;
      } catch (error) {
        if (error instanceof GivenUp || this.#areHere(left)) throw error;
      }
    }
  }

  #areHere(files: readonly ClosedFile[]): boolean {
    const { all } = this.#log.segments;
    return files.every(({ segment }) => all.includes(segment));
  }

  /** False: a segment of the group has left the log, and nothing was changed. */
  async #rewrite(group: readonly [ClosedFile, ...ClosedFile[]], filter: RetentionFilter): Promise<boolean> {
    this.#assertGoing();
    const { segments, around, directory } = this.#log;
    const { files } = around;
    const [{ baseOffset }] = group;
    const path = cleanedPath(directory, baseOffset);
    const cleaned = await CleanedFile.create(files, path, baseOffset, segments.config.indexIntervalBytes);
    let isSwapped = false;
    try {
      const changed = await this.#write(group, filter, cleaned);
      this.#bytesAfter += cleaned.sizeBytes;
      if (!changed && group.length === 1) return true;
      const old = group.map(({ segment }) => segment);
      const mayGo = (): boolean => !this.isPointless && this.#areHere(group);
      isSwapped = await swapGroup(this.#log, old, cleaned, mayGo);
      this.#assertGoing();
      return isSwapped;
    } finally {
      await cleaned.close().catch(() => {});
      if (!isSwapped) await files.remove(path).catch(() => {});
    }
  }

  /** True: the group is not what it was. */
  async #write(
    group: readonly ClosedFile[],
    filter: RetentionFilter,
    cleaned: CleanedFile,
  ): Promise<boolean> {
    const endOffset = group.at(-1)?.endOffset ?? 0;
    const limit = new GrowthLimit(group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    let changed = false;
    for (const file of group) {
      this.#bytesBefore += file.sizeBytes;
      for await (const batches of this.#read(file)) {
        for (const { header, bytes } of batches) {
          const left = filter.filter(bytes, header, header.lastOffset === endOffset - 1);
          const kept = limit.choose(bytes, left);
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

  /** The batches of a segment as it was when the cleaning began, at the allowed pace. */
  async *#read({ segment, baseOffset, endOffset, sizeBytes }: ClosedFile) {
    const { around, epochs } = this.#log;
    const handle = await around.files.open(segment.logPath, 'read');
    try {
      const epochAt = (offset: Offset) => epochs.cache.epochAt(offset);
      for await (const batches of batchChunks(handle, { baseOffset, endOffset, sizeBytes, epochAt })) {
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

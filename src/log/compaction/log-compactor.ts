import { EnvironmentError, type Offset, type WallMs } from '../../base/index.ts';
import type { LogState } from '../log-state.ts';
import { BATCH_HEADER_BYTES, batchMaxTimestamp } from '../record/index.ts';
import type { Segment } from '../segment/segment.ts';
import { Cleaning, type CleaningResources, type ClosedFile, GivenUp } from './cleaning.ts';
import type { CleaningOutcome } from './cleaning-outcome.ts';
import { type CleaningPlan, planCleaning } from './core/plan-cleaning.ts';

/** One entry of an offset index. */
const ENTRY_BYTES = 8;

/** The compaction of one log: what there is to do, and doing it. */
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
    if (this.#log.segments.config.maxCompactionLagMs < Number.MAX_SAFE_INTEGER)
      await this.#learnFirstTimestamps();
    return this.#plan(this.#closed(), nowMs);
  }

  /**
   * Cleans what there is to clean now, due or not, or as much of it as the memory for keys covers. One at a time. Rejects
   * with CorruptionError, EnvironmentError; the log is then as it was, or further, and never wrong.
   */
  clean(resources: CleaningResources): Promise<CleaningOutcome> {
    const closed = this.#closed();
    // Not as it was planned before: a cut may have taken that since, and other records may stand there.
    const plan = this.#plan(closed, resources.nowMs);
    const work = new Cleaning(this.#log, closed, resources, this.#stop.signal);
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

  #plan(closed: readonly ClosedFile[], nowMs: WallMs): CleaningPlan {
    const { logStartOffset, highWatermark, firstDirtyOffset, segments } = this.#log;
    return planCleaning({ closed, logStartOffset, highWatermark, firstDirtyOffset }, segments.config, nowMs);
  }

  /** The segments that are whole and on disk. */
  #closed(): ClosedFile[] {
    const { segments, recoveryPoint } = this.#log;
    const closed: ClosedFile[] = [];
    for (const [i, segment] of segments.all.entries()) {
      const next = segments.all[i + 1];
      if (next === undefined || !next.exists || next.baseOffset > recoveryPoint) break;
      closed.push(this.#toFile(segment, next.baseOffset));
    }
    return closed;
  }

  #toFile(segment: Segment, endOffset: Offset): ClosedFile {
    const intervalBytes = Math.max(this.#log.segments.config.indexIntervalBytes, BATCH_HEADER_BYTES);
    const { baseOffset, writtenBytes: sizeBytes, largestTimestampMs } = segment;
    return {
      segment,
      baseOffset,
      endOffset,
      sizeBytes,
      indexBytes: Math.ceil((sizeBytes * ENTRY_BYTES) / intervalBytes),
      largestTimestampMs,
      firstTimestampMs: segment.firstTimestampMs ?? -1,
    };
  }

  async #learnFirstTimestamps(): Promise<void> {
    const { segments, firstDirtyOffset } = this.#log;
    for (const { segment, endOffset } of this.#closed()) {
      if (endOffset <= firstDirtyOffset || segment.firstTimestampMs !== undefined) continue;
      try {
        await this.#learnFirstTimestamp(segment);
      } catch (error) {
        // Retention has taken it meanwhile.
        const isGone = error instanceof EnvironmentError && error.reason === 'not-found';
        if (!isGone || segments.all.includes(segment)) throw error;
      }
    }
  }

  async #learnFirstTimestamp(segment: Segment): Promise<void> {
    const handle = await this.#log.segments.files.open(segment.logPath, 'read');
    try {
      const header = Buffer.alloc(BATCH_HEADER_BYTES);
      if ((await handle.read(header, 0)) === header.length)
        segment.firstTimestampMs = batchMaxTimestamp(header);
    } finally {
      await handle.close();
    }
  }
}

import {
  CorruptionError,
  EnvironmentError,
  type LeaderEpoch,
  type Offset,
  type WallMs,
} from '../../base/index.ts';
import type { LogCounters } from '../log-metrics.ts';
import type { Segment } from '../segment/segment.ts';
import type { SegmentList } from '../segment/segment-list.ts';
import { locateTimestamp } from '../segment/trusted-index.ts';
import { ReadCursors } from './read-cursors.ts';
import { type LogRead, type ReadOptions, readSegment, type SegmentRead } from './read-log.ts';
import type { LogTail } from './tail-cache.ts';

/** What the log knows without its files. */
export interface KnownOfLog {
  /** What is in the files ends at or before it. */
  readonly writtenEnd: () => Offset;
  /** Of the batch that holds the offset; undefined: not known. */
  readonly epochAt: (offset: Offset) => LeaderEpoch | undefined;
}

/** Reads of one log, from its tail in memory when that reaches back far enough, else from its files. */
export class LogReader {
  readonly #segments: SegmentList;
  readonly #tail: LogTail;
  readonly #known: KnownOfLog;
  readonly #counters: LogCounters;
  /** Changes whenever bytes of the log are gone, or other files have them. */
  #layout = 0;
  /** Grows with the layout, but not when segments that readers under way may finish left the log. */
  #lost = 0;
  /** Reads of files wait for it. */
  #held: Promise<void> | undefined;
  readonly #cursors: ReadCursors;

  constructor(segments: SegmentList, tail: LogTail, known: KnownOfLog, counters: LogCounters) {
    this.#segments = segments;
    this.#tail = tail;
    this.#known = known;
    this.#counters = counters;
    this.#cursors = new ReadCursors(segments.pool.readAhead);
  }

  /**
   * Files are about to take the place of others: reads under way begin again, and all wait until the returned
   * function is called. Not to be nested.
   */
  hold(): () => void {
    this.invalidate();
    let release = (): void => {};
    this.#held = new Promise<void>((resolve) => {
      release = resolve;
    });
    return () => {
      this.#held = undefined;
      release();
    };
  }

  /** Bytes are about to go: reads under way that saw them begin again. */
  invalidate(): void {
    this.#lost++;
    this.noteMoved();
  }

  /** Segments have left the log, and their files are whole for those who have them open. */
  noteMoved(): void {
    this.#layout++;
    this.#cursors.clear();
  }

  /**
   * `from` lies below `upperBound`, which is at most the end of the log. `again` reads anew, with all
   * checks, after a cut.
   */
  read(
    from: Offset,
    options: ReadOptions,
    again: () => LogRead | Promise<LogRead>,
  ): LogRead | Promise<LogRead> {
    if (this.#tail.covers(from)) return this.#readTail(from, options);
    return this.#readFiles(from, options, again, true);
  }

  #readTail(from: Offset, options: ReadOptions): LogRead {
    const batches = this.#tail.read(from, options.upperBound, options.maxBytes, options.atLeastOne);
    let sizeBytes = 0;
    for (const batch of batches) sizeBytes += batch.length;
    this.#counters.readTail(sizeBytes);
    return { batches, sizeBytes };
  }

  /** The same from the files alone, for who asks what is on disk now. `from` is written. */
  readFiles(from: Offset, options: ReadOptions, again: () => LogRead | Promise<LogRead>): Promise<LogRead> {
    return this.#readFiles(from, options, again, false);
  }

  async #readFiles(
    from: Offset,
    options: ReadOptions,
    again: () => LogRead | Promise<LogRead>,
    mayKeep: boolean,
  ): Promise<LogRead> {
    while (this.#held !== undefined) await this.#held;
    const layout = this.#layout;
    const lost = this.#lost;
    try {
      for (let i = this.#segments.indexOf(from); i < this.#segments.all.length; i++) {
        const segment = this.#segments.all[i] as Segment;
        const result = await this.#readOne(segment, from, options, mayKeep);
        if (lost !== this.#lost) return again();
        const isHere = layout === this.#layout;
        // Where segments have left, the next one is not at the next place.
        if ((result === undefined || result.past) && !isHere) return again();
        if (result === undefined || result.past) continue;
        if (isHere && result.hint !== undefined) this.#cursors.put(result.hint);
        this.#counters.readFile(result.read.sizeBytes);
        return result.read;
      }
    } catch (error) {
      // The file was cut or removed under the read: look again at what is there now.
      if (layout !== this.#layout) return again();
      throw error;
    }
    // Only a gap of offsets lay between `from` and the tail.
    return this.#readTail(from, options);
  }

  /** undefined: nothing of the segment is in its file yet. */
  async #readOne(
    segment: Segment,
    from: Offset,
    options: ReadOptions,
    mayKeep: boolean,
  ): Promise<SegmentRead | undefined> {
    if (segment.writtenBytes === 0) return undefined;
    const { indexIntervalBytes } = this.#segments.config;
    const { epochAt } = this.#known;
    const endOffset = (): Offset => this.#endOf(segment);
    const hint = this.#cursors.take(segment, from, mayKeep);
    const mayReadAhead = (): boolean => mayKeep && this.#segments.pool.readAhead.ask();
    return this.#segments.use(segment, (handle, index) => {
      const witness = { hint, mayReadAhead, indexIntervalBytes, endOffset, epochAt };
      return readSegment(segment, { handle, index }, from, options, witness);
    });
  }

  #endOf(segment: Segment): Offset {
    const { all } = this.#segments;
    return all[all.indexOf(segment) + 1]?.baseOffset ?? this.#known.writtenEnd();
  }

  /** An offset of the segment before which no record is of `timestampMs` or later. */
  async locateTimestamp(segment: Segment, timestampMs: WallMs): Promise<Offset> {
    while (this.#held !== undefined) await this.#held;
    // It has left the log, or has no file yet and all of it is in the tail.
    if (segment.writtenBytes === 0 || !this.#segments.all.includes(segment)) return segment.baseOffset;
    const layout = this.#layout;
    const { indexIntervalBytes } = this.#segments.config;
    try {
      const offset = await this.#segments.use(segment, (handle, index) =>
        locateTimestamp(segment, { handle, index }, timestampMs, indexIntervalBytes),
      );
      // A file that has the name of another says nothing of it.
      if (layout === this.#layout) return offset;
    } catch (error) {
      if (layout === this.#layout) throw error;
    }
    return segment.baseOffset;
  }
}

/** True for what takes a log offline when met while reading: damage, and a disk that cannot be read. */
export function isReadFatal(error: unknown): boolean {
  return (
    error instanceof CorruptionError || (error instanceof EnvironmentError && error.reason === 'io-error')
  );
}

/**
 * What one log shows of its records, by offset and by time: everything in [log start, log end). Damage that is met while
 * reading takes the log offline.
 */
import { ApiError, AssertionError, NONE, type Offset, type WallMs } from '../../base/index.ts';
import type { LogState } from '../log-state.ts';
import { storageRefusal } from '../storage-refusal.ts';
import { isReadFatal } from './log-reader.ts';
import { EMPTY_READ, type LogRead, type ReadOptions } from './read-log.ts';
import { findLargestTimestamp, searchTimestamp, type TimestampOffset } from './search-timestamp.ts';

export class LogView {
  readonly #log: LogState;

  constructor(log: LogState) {
    this.#log = log;
  }

  get logStartOffset(): Offset {
    return this.#log.logStartOffset;
  }

  get logEndOffset(): Offset {
    return this.#log.logEndOffset;
  }

  /** See PartitionLog. */
  read(fromOffset: Offset, options: ReadOptions): LogRead | Promise<LogRead> {
    this.#assertReadable(fromOffset);
    const upperBound = Math.min(options.upperBound, this.#log.logEndOffset);
    if (fromOffset >= upperBound) return EMPTY_READ;
    const { maxBytes, atLeastOne } = options;
    const again = (): LogRead | Promise<LogRead> => this.read(fromOffset, options);
    const read = this.#log.reader.read(fromOffset, { maxBytes, atLeastOne, upperBound }, again);
    return read instanceof Promise ? read.catch((error: unknown) => this.#refuse(error)) : read;
  }

  /** See PartitionLog. */
  async readStored(fromOffset: Offset, options: ReadOptions): Promise<LogRead> {
    this.#assertReadable(fromOffset);
    const upperBound = Math.min(options.upperBound, this.#log.writer.written.offset);
    if (fromOffset >= upperBound) return EMPTY_READ;
    const again = (): Promise<LogRead> => this.readStored(fromOffset, options);
    const read = this.#log.reader.readFiles(fromOffset, { ...options, upperBound }, again);
    return read.catch((error: unknown) => this.#refuse(error));
  }

  /** See PartitionLog. */
  async offsetForTimestamp(timestampMs: WallMs): Promise<TimestampOffset | undefined> {
    const { segments, reader } = this.#log;
    const all = [...segments.all];
    const ends = all.map((_, i) => all[i + 1]?.baseOffset ?? Number.MAX_SAFE_INTEGER);
    const mayHold = all.map((segment) => segment.largestTimestampMs >= timestampMs);
    for (const [i, segment] of all.entries()) {
      // The record that one speaks of may be gone, below the log start or by compaction.
      if (mayHold[i] !== true) continue;
      const from = await reader
        .locateTimestamp(segment, timestampMs)
        .catch((error: unknown) => this.#refuse(error));
      const found = await searchTimestamp(this, from, ends[i] ?? from, timestampMs);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** See PartitionLog. */
  async maxTimestamp(): Promise<TimestampOffset | undefined> {
    const largest = await findLargestTimestamp(this, this.#log.segments.all, (timestampMs) =>
      this.offsetForTimestamp(timestampMs),
    );
    return largest === NONE ? undefined : this.offsetForTimestamp(largest);
  }

  #assertReadable(fromOffset: Offset): void {
    const { logStartOffset, logEndOffset } = this.#log;
    this.#log.assertOnline();
    if (fromOffset < logStartOffset || fromOffset > logEndOffset)
      throw new ApiError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${fromOffset} is outside [${logStartOffset}, ${logEndOffset}]`,
      );
  }

  #refuse(error: unknown): never {
    if (error instanceof ApiError || error instanceof AssertionError) throw error;
    if (isReadFatal(error) && !this.#log.closed) this.#log.fail(error);
    throw storageRefusal(error);
  }
}

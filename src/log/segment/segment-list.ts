import { assert, NONE, type Offset, type WallMs } from '../../base/index.ts';
import type { FileHandle, Files } from '../../env/index.ts';
import type { LogConfig } from '../log-config.ts';
import { rollAgeMs } from './roll-age.ts';
import { Segment } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';
import type { SegmentPool, SegmentUse } from './segment-pool.ts';

const INT32_MAX = 2 ** 31 - 1;

/**
 * The segments of one log, ascending; the last is active. Never empty but while a log is loaded or emptied.
 */
export class SegmentList {
  readonly files: Files;
  readonly directory: string;
  readonly pool: SegmentPool;
  config: LogConfig;
  readonly all: Segment[] = [];
  /** Told when bytes that were written turn out to be lost. */
  onFailure: (error: unknown) => void = () => {};

  constructor(files: Files, directory: string, pool: SegmentPool, config: LogConfig) {
    this.files = files;
    this.directory = directory;
    this.pool = pool;
    this.config = config;
  }

  get active(): Segment {
    const segment = this.all.at(-1);
    assert(segment !== undefined, 'a log has an active segment');
    return segment;
  }

  get sizeBytes(): number {
    return this.all.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Index of the last segment that begins at or before `offset`; 0 when none does. */
  indexOf(offset: Offset): number {
    let low = 0;
    let high = this.all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.all[middle]?.baseOffset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * True when the batch must go into a new segment: by size, by age, or because an index could not hold it.
   */
  mustRoll(batch: Appended): boolean {
    const { active: segment, config } = this;
    if (segment.sizeBytes === 0) return false;
    return (
      segment.sizeBytes + batch.sizeBytes > config.segmentBytes ||
      batch.lastOffset - segment.baseOffset > INT32_MAX ||
      (segment.index?.offsets.sizeBytes ?? 0) >= config.segmentIndexBytes ||
      this.#isOld(segment, batch.maxTimestamp)
    );
  }

  #isOld(segment: Segment, timestampMs: WallMs): boolean {
    const { firstTimestampMs = NONE } = segment;
    return firstTimestampMs !== NONE && timestampMs - firstTimestampMs > rollAgeMs(this.config, segment);
  }

  /** Begins a new active segment, in memory only. `snapshot`: the producer states at its base. */
  roll(baseOffset: Offset, snapshot: Uint8Array): void {
    const segment = new Segment(this.files, this.directory, baseOffset);
    segment.index = new SegmentIndex(baseOffset);
    segment.keepsIndex = true;
    segment.snapshot = snapshot;
    this.all.push(segment);
  }

  /** Counts a batch into the active segment. */
  append(batch: Appended): void {
    const segment = this.active;
    segment.firstTimestampMs ??= batch.maxTimestamp;
    segment.index?.note(batch, segment.sizeBytes, this.config.indexIntervalBytes);
    segment.sizeBytes += batch.sizeBytes;
  }

  /** Runs `task` with the file and index of a segment whose file is there. */
  use<T>(segment: Segment, task: (handle: FileHandle, index: SegmentIndex) => Promise<T>): Promise<T> {
    return this.pool.use(segment, this.#how(), task);
  }

  /** Appends to the file of a segment. */
  write(segment: Segment, buffers: readonly Uint8Array[]): Promise<void> {
    return this.use(segment, () => segment.write(buffers));
  }

  /** Makes what was written to a segment durable. */
  sync(segment: Segment): Promise<void> {
    return segment.mustSync ? this.use(segment, () => segment.sync()) : segment.sync();
  }

  /** The last segment is to be appended to: its index stays here. */
  async activate<T>(
    task: (segment: Segment, handle: FileHandle, index: SegmentIndex) => Promise<T>,
  ): Promise<T> {
    const segment = this.active;
    return this.use(segment, (handle, index) => {
      segment.keepsIndex = true;
      return task(segment, handle, index);
    });
  }

  /** Makes the file of a new segment, durably. */
  async create(segment: Segment): Promise<void> {
    await segment.saveSnapshot();
    await this.pool.create(segment, this.#how());
    await this.files.syncDirectory(this.directory);
  }

  /** A segment that is durable and grows no more. */
  retire(closed: Segment): Promise<void> {
    return closed.retire();
  }

  #how(): SegmentUse {
    return { indexIntervalBytes: this.config.indexIntervalBytes, fail: this.onFailure };
  }

  /** `made` stands for `replaced`, which are neighbours. In memory only. */
  replace(replaced: readonly Segment[], made: Segment): void {
    const first = this.all.indexOf(replaced[0] as Segment);
    assert(
      first >= 0 && replaced.every((segment, i) => this.all[first + i] === segment),
      'the segments to be replaced are there',
    );
    this.all.splice(first, replaced.length, made);
  }

  /** Removes the last segment, durably. */
  async removeLast(): Promise<void> {
    await this.#remove(this.all.pop());
  }

  /** The first segment leaves the list, in memory only; there is another. */
  takeFirst(): Segment {
    const segment = this.all.shift();
    assert(segment !== undefined && this.all.length > 0, 'a log keeps its active segment');
    return segment;
  }

  /** Closes all files as they are. */
  async close(): Promise<void> {
    for (const segment of this.all) {
      this.pool.forget(segment);
      await segment.close().catch(() => {});
    }
  }

  async #remove(segment: Segment | undefined): Promise<void> {
    assert(segment !== undefined, 'there is a segment to remove');
    this.pool.forget(segment);
    await segment.remove();
    await this.files.syncDirectory(this.directory);
  }
}

interface Appended {
  readonly lastOffset: Offset;
  readonly maxTimestamp: WallMs;
  readonly sizeBytes: number;
}

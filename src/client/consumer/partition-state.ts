/**
 * How far one partition is read: what the reader gets next, what is fetched ahead, what to fetch next. Pure.
 *
 *   position  <=  offsets in `fetched`  <  fetchOffset
 *
 * A reply counts only for the state it was asked from: each seek and each answer given up raises `turn`.
 * Records below the position are dropped (a fetch returns whole batches), control batches are passed over.
 *
 * Batches are kept as they came; only the first is open, while it is read, and its records are made as they are
 * taken: a small batch may inflate to 12 MiB and hold a million.
 */
import {
  ApiError,
  CorruptionError,
  type LeaderEpoch,
  type MonotonicMs,
  type Offset,
  type PartitionId,
} from '../../base/index.ts';
import {
  type BatchHeader,
  type BatchView,
  batches,
  RecordCursor,
  validateBatch,
} from '../../log/record/index.ts';
import type { FetchPartitionReply } from '../../rpc/api/index.ts';
import { type ConsumedRecord, toConsumedRecord } from './consumed-record.ts';
import type { StartPosition } from './options.ts';

/** Headers of the records of one `take` together, as objects far larger than their bytes; the last may exceed it. */
const HEADERS_MAX = 10_000;

interface FetchedBatch {
  readonly header: BatchHeader;
  readonly bytes: Uint8Array;
  /** By the reply that brought it. */
  readonly highWatermark: Offset;
}

export class PartitionState {
  readonly topic: string;
  readonly partition: PartitionId;
  /** Set while the position is not known: where to begin. */
  start: StartPosition | undefined;
  /** Next offset the reader gets. -1 while `start` is set. */
  position: Offset = -1;
  /** Reading ends before this. */
  limit: Offset = Infinity;
  paused = false;
  /** Raised by all that makes answers under way stale. */
  turn = 0;
  /** Raised by each seek: records that were taken before it count no more. */
  seeks = 0;
  /** A fetch, or a look for the position, is under way. */
  busy = false;
  retryAtMs: MonotonicMs = 0;
  failures = 0;
  /** The leader we know may be none any more: look for another meanwhile. */
  searching = false;
  /** Of the last attempt: a newer one is tried at once. */
  triedEpoch: LeaderEpoch = -1;
  bufferedBytes = 0;
  /** As the last answer said; -1: not heard of. */
  highWatermark: Offset = -1;
  /** By the reply that brought the records taken last. */
  takenHighWatermark: Offset = -1;
  lastStableOffset: Offset = -1;
  logStartOffset: Offset = -1;
  #fetchOffset: Offset = -1;
  #fetched: FetchedBatch[] = [];
  /** Stands on the last record taken of the first batch. */
  #reader: RecordCursor | undefined;

  constructor(topic: string, partition: PartitionId, start: StartPosition) {
    this.topic = topic;
    this.partition = partition;
    this.start = start;
    if (typeof start === 'object' && 'offset' in start) this.moveTo(start.offset);
  }

  get fetchOffset(): Offset {
    return this.#fetchOffset;
  }

  get hasFetched(): boolean {
    return this.#fetched.length > 0;
  }

  /** A batch is open: in clear it may be large. */
  get isReading(): boolean {
    return this.#reader !== undefined;
  }

  /** Everything below the limit was given to the reader. */
  get isAtLimit(): boolean {
    return this.start === undefined && this.position >= this.limit;
  }

  /** Nothing of interest is left to fetch. */
  get isFetchedToLimit(): boolean {
    return this.#fetchOffset >= this.limit;
  }

  /** Reading goes on past the limit. */
  clearLimit(): void {
    this.limit = Infinity;
    if (this.start === undefined && !this.hasFetched && this.position < this.#fetchOffset)
      this.moveTo(this.position);
  }

  /** Reading goes on at `offset`; what was fetched ahead is forgotten. */
  moveTo(offset: Offset): void {
    this.restart(undefined);
    this.position = this.#fetchOffset = offset;
  }

  /** Reading goes on at `start`, which must be looked up first (undefined: the caller sets the position). */
  restart(start: StartPosition | undefined): void {
    this.start = start;
    this.position = this.#fetchOffset = -1;
    this.#fetched = [];
    this.#reader = undefined;
    this.bufferedBytes = 0;
    this.seeks++;
    this.giveUp();
    this.retryAtMs = 0;
  }

  /** No answer that is under way will count. */
  giveUp(): void {
    this.turn++;
    this.busy = false;
  }

  /**
   * Takes over a reply without error. Throws CORRUPT_MESSAGE when the bytes are not what the leader stored.
   */
  accept(reply: FetchPartitionReply, checkCrcs: boolean): void {
    this.failures = 0;
    this.searching = false;
    this.highWatermark = reply.highWatermark;
    this.lastStableOffset = reply.lastStableOffset;
    this.logStartOffset = reply.logStartOffset;
    for (const chunk of reply.batches) {
      for (const { header, bytes } of this.#batchesOf(chunk)) {
        if (header.lastOffset < this.#fetchOffset) continue;
        const problem = checkCrcs ? validateBatch(bytes) : undefined;
        if (problem !== undefined)
          throw new ApiError(
            problem.code,
            `${this.topic}-${this.partition} at ${header.baseOffset}: ${problem.message}`,
          );
        this.#fetched.push({ header, bytes, highWatermark: reply.highWatermark });
        this.bufferedBytes += bytes.length;
        this.#fetchOffset = header.lastOffset + 1;
      }
    }
  }

  #batchesOf(chunk: Uint8Array): readonly BatchView[] {
    try {
      return [...batches(chunk)];
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const name = `${this.topic}-${this.partition}`;
      throw new ApiError('CORRUPT_MESSAGE', `${name}: what was fetched does not end with a batch`);
    }
  }

  /**
   * The next records from the position to the limit, at most `maxRecords` and of one batch; undefined: nothing is
   * fetched. Moves the position past them.
   *
   * Where a batch cannot be read the records before that place are given, then this throws ApiError, at every call
   * until the position is moved: nothing is passed over in silence.
   */
  take(maxRecords: number): ConsumedRecord[] | undefined {
    for (let batch = this.#fetched[0]; batch !== undefined; batch = this.#fetched[0]) {
      const { isControl, baseOffset } = batch.header;
      if (isControl || baseOffset >= this.limit) this.#finish(batch);
      else {
        const records = this.#read(batch, maxRecords);
        if (records.length > 0) return records;
      }
    }
    return undefined;
  }

  /**
   * What was taken from `offset` on was not given to anyone: reading goes on there. Nothing stays open meanwhile.
   */
  putBack(offset: Offset): void {
    this.#reader = undefined;
    if (offset >= this.position) return;
    const [first] = this.#fetched;
    if (first !== undefined && offset >= first.header.baseOffset) this.position = offset;
    else this.moveTo(offset);
  }

  #read(batch: FetchedBatch, maxRecords: number): ConsumedRecord[] {
    const { topic, partition, limit } = this;
    const records: ConsumedRecord[] = [];
    this.takenHighWatermark = batch.highWatermark;
    let { position } = this;
    try {
      this.#reader ??= RecordCursor.open(batch.bytes, batch.header);
      const reader = this.#reader;
      let headers = 0;
      while (records.length < maxRecords && headers < HEADERS_MAX) {
        if (!reader.next() || reader.offset >= limit) {
          this.#finish(batch);
          return records;
        }
        if (reader.offset < position) continue;
        headers += reader.headerCount;
        records.push(toConsumedRecord(topic, partition, reader));
        this.position = position = reader.offset + 1;
      }
      if (reader.left === 0) this.#finish(batch);
    } catch (error) {
      this.#reader = undefined;
      if (records.length === 0) throw this.#unreadable(error, batch.header);
    }
    return records;
  }

  #finish({ header, bytes }: FetchedBatch): void {
    this.#fetched.shift();
    this.#reader = undefined;
    this.bufferedBytes -= bytes.length;
    this.position = Math.max(this.position, Math.min(header.lastOffset + 1, this.limit));
  }

  #unreadable(error: unknown, { lastOffset }: BatchHeader): unknown {
    if (!(error instanceof ApiError)) return error;
    const place = `${this.topic}-${this.partition} at ${this.position}`;
    return new ApiError(
      error.code,
      `${place}: ${error.message}; seek to ${lastOffset + 1} to go on after it`,
    );
  }
}

/**
 * How far one partition is read: what the reader gets next, what is fetched ahead, what to fetch next. Pure.
 *
 *   position  <=  offsets in `fetched`  <  fetchOffset
 *
 * A reply counts only for the state it was asked from: each seek and each answer given up raises `turn`.
 * Records below the position are dropped (a fetch returns whole batches), control batches are passed over.
 */
import {
  ApiError,
  CorruptionError,
  type LeaderEpoch,
  type MonotonicMs,
  type Offset,
  type PartitionId,
} from '../../base/index.ts';
import { type BatchHeader, batches, decodeRecords, validateBatch } from '../../log/record/index.ts';
import type { FetchPartitionReply } from '../../rpc/api/index.ts';
import { type ConsumedRecord, toConsumedRecord } from './consumed-record.ts';
import type { StartPosition } from './options.ts';

interface FetchedBatch {
  readonly header: BatchHeader;
  readonly bytes: Uint8Array;
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
  lastStableOffset: Offset = -1;
  logStartOffset: Offset = -1;
  #fetchOffset: Offset = -1;
  #fetched: FetchedBatch[] = [];

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
    this.bufferedBytes = 0;
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
        this.#fetched.push({ header, bytes });
        this.bufferedBytes += bytes.length;
        this.#fetchOffset = header.lastOffset + 1;
      }
    }
  }

  #batchesOf(chunk: Uint8Array): readonly FetchedBatch[] {
    try {
      return [...batches(chunk)];
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const name = `${this.topic}-${this.partition}`;
      throw new ApiError('CORRUPT_MESSAGE', `${name}: what was fetched does not end with a batch`);
    }
  }

  /**
   * Records of the next batch, decoded, from the position to the limit; undefined: nothing is fetched. Moves
   * the position past them.
   */
  take(): ConsumedRecord[] | undefined {
    for (;;) {
      const batch = this.#fetched.shift();
      if (batch === undefined) return undefined;
      this.bufferedBytes -= batch.bytes.length;
      const from = this.position;
      this.position = Math.max(from, Math.min(batch.header.lastOffset + 1, this.limit));
      if (batch.header.isControl) continue;
      const records: ConsumedRecord[] = [];
      for (const record of decodeRecords(batch.bytes)) {
        if (record.offset >= from && record.offset < this.limit)
          records.push(toConsumedRecord(this.topic, this.partition, record));
      }
      if (records.length > 0) return records;
    }
  }
}

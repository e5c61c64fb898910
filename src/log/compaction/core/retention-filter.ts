/**
 * Decides batch by batch, in the order of the log, what a cleaning keeps.
 *
 * A record goes when its key was written again in the mapped part, or when it is a tombstone whose horizon has passed:
 * its batch bears the horizon since an earlier cleaning, which removed all older records of the key, and readers had
 * delete.retention.ms to see it. What lies beyond the mapped part stays. Records without a key, from before the topic was
 * compacted, go.
 *
 * A batch stays without records while something else is read from it: a repetition of its producer is known by it, its
 * leader epoch begins with it, or the segment ends with it. So whoever copies this log learns the same epochs and
 * producers, a closed segment always reaches the next one, and a missing file is noticed.
 *
 * Control batches and those of transactions stay as they are: what came of the transaction is not known here. So do
 * batches whose records cannot be read.
 *
 * Source: Kafka's Cleaner.shouldRetainRecord and cleanInto, KIP-534.
 */
import { ApiError, NONE, type Offset, type WallMs } from '../../../base/index.ts';
import { type BatchHeader, filterBatch, type RecordCursor } from '../../record/index.ts';
import type { KeyMap } from './key-map.ts';

/** A longer delete.retention.ms is as good as for ever, and the distance to any timestamp stays exact. */
const HORIZON_MAX_MS = 2 ** 52;

export interface RetentionRules {
  readonly map: KeyMap;
  /** What is below was deleted. */
  readonly logStartOffset: Offset;
  /** What is below was cleaned by an earlier cleaning. */
  readonly firstDirtyOffset: Offset;
  /** Exclusive: the map knows all records of [firstDirtyOffset, mappedEnd). */
  readonly mappedEnd: Offset;
  /** Last offsets of the batches by which repetitions of living producers are known. */
  readonly producerBatches: ReadonlySet<Offset>;
  readonly nowMs: WallMs;
  readonly deleteRetentionMs: number;
}

export class RetentionFilter {
  readonly #rules: RetentionRules;
  #epoch: number | undefined;
  recordsRead = 0;
  recordsKept = 0;
  keylessDropped = 0;
  /** Batches that could not be opened. */
  unreadable = 0;
  /** True: a tombstone of the clean section bears no horizon, so that section was never cleaned. */
  isDirtyBelow = false;

  constructor(rules: RetentionRules) {
    this.#rules = rules;
  }

  /** What was decided last is decided again, without the batches that have left the log meanwhile. */
  beginAgain(): void {
    this.#epoch = undefined;
  }

  /** What stays of `batch`: the same memory, other memory, or nothing. `isLast`: of its segment as it will be. */
  filter(batch: Uint8Array, header: BatchHeader, isLast: boolean): Uint8Array | undefined {
    const beginsEpoch = header.leaderEpoch !== this.#epoch;
    this.#epoch = header.leaderEpoch;
    this.recordsRead += header.count;
    const isOpaque = header.isControl || header.isTransactional || header.baseOffset >= this.#rules.mappedEnd;
    if (isOpaque) return this.#keep(batch, header);
    try {
      return this.#filter(batch, header, isLast || beginsEpoch);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.unreadable++;
      return this.#keep(batch, header);
    }
  }

  #keep(batch: Uint8Array, header: BatchHeader): Uint8Array {
    this.recordsKept += header.count;
    return batch;
  }

  #filter(batch: Uint8Array, header: BatchHeader, keepsHeader: boolean): Uint8Array | undefined {
    const { firstDirtyOffset, mappedEnd, producerBatches, nowMs, deleteRetentionMs } = this.#rules;
    const { lastOffset } = header;
    const isMapped = lastOffset >= firstDirtyOffset && lastOffset < mappedEnd;
    const isExpired = header.hasDeleteHorizon && header.baseTimestamp <= nowMs;
    const { bytes, count, lacksHorizon } = filterBatch(batch, header, {
      retains: (record) => this.#retains(record, isExpired),
      deleteHorizonMs: isMapped ? Math.min(nowMs + deleteRetentionMs, HORIZON_MAX_MS) : undefined,
      keepsEmpty: keepsHeader || (header.producerId !== NONE && producerBatches.has(lastOffset)),
    });
    if (lacksHorizon && lastOffset < firstDirtyOffset) this.isDirtyBelow = true;
    this.recordsKept += count;
    return bytes;
  }

  #retains(record: RecordCursor, isExpired: boolean): boolean {
    const { map, logStartOffset, mappedEnd } = this.#rules;
    if (record.offset < logStartOffset) return false;
    if (record.offset >= mappedEnd) return true;
    if (record.keyStart < 0) {
      this.keylessDropped++;
      return false;
    }
    if (record.offset < map.get(record.bytes, record.keyStart, record.keyEnd)) return false;
    return record.hasValue || !isExpired;
  }
}

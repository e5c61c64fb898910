/**
 * The log as the core sees it: where it ends, how far it is durable, where its epochs begin, and its tail in memory.
 *
 *   0 <= flushedOffset <= endOffset        everything below flushedOffset survives a power failure
 *   tailStart <= flushedOffset             what is not durable yet is in memory
 *
 * One write to the store is outstanding at a time; what arrives meanwhile goes together in the next. A write carries the
 * generation of the log it was taken from and a truncation starts a new one, so a write that completes after the log was
 * cut below its end proves nothing about the entries that took their place (redpanda#16105). The write after it proves
 * the whole prefix, since writes complete in order.
 *
 * Source: Raft §5.3; KIP-595 (offsets, epochs, divergence).
 */
import { assert, type Offset, type QuorumEpoch } from '../../base/index.ts';
import type { EpochStart, StoredLog } from './hard-state.ts';
import { ENTRIES_AT_ONCE_MAX, TAIL_LIMITS, type TailLimits, WRITE_BYTES_MAX } from './limits.ts';
import type { Entry } from './messages.ts';

export interface LogWrite {
  readonly generation: number;
  readonly truncateFrom?: Offset;
  readonly entries: readonly Entry[];
  /** Exclusive end of the log in the store when it is done. */
  readonly endOffset: Offset;
}

export interface EpochEnd {
  readonly epoch: QuorumEpoch;
  readonly endOffset: Offset;
}

export class RaftLog {
  #epochs: EpochStart[];
  #tail: Entry[] = [];
  #tailStart: Offset;
  #tailBytes = 0;
  #endOffset: Offset;
  #flushedOffset: Offset;
  /** Below it entries have been handed to the store. */
  #handedOffset: Offset;
  #truncateFrom: Offset | undefined;
  #generation = 0;
  readonly #limits: TailLimits;

  constructor(stored: StoredLog, limits: TailLimits = TAIL_LIMITS) {
    this.#epochs = [...stored.epochs];
    this.#endOffset = stored.endOffset;
    this.#flushedOffset = stored.endOffset;
    this.#handedOffset = stored.endOffset;
    this.#tailStart = stored.endOffset;
    this.#limits = limits;
    assert((stored.endOffset === 0) === (stored.epochs.length === 0), 'a log has epochs iff it has entries', {
      endOffset: stored.endOffset,
    });
  }

  get endOffset(): Offset {
    return this.#endOffset;
  }

  get flushedOffset(): Offset {
    return this.#flushedOffset;
  }

  /** Epoch of the last entry; 0 when the log is empty. */
  get lastEpoch(): QuorumEpoch {
    return this.#epochs.at(-1)?.epoch ?? 0;
  }

  get isDurable(): boolean {
    return this.#flushedOffset === this.#endOffset && this.#truncateFrom === undefined;
  }

  /** First offset in memory; below it entries are read from the store. */
  get tailStart(): Offset {
    return this.#tailStart;
  }

  /** `entry` must be the next one and of no older epoch than the last. */
  append(entry: Entry): void {
    assert(entry.offset === this.#endOffset, 'entries are contiguous', {
      offset: entry.offset,
      endOffset: this.#endOffset,
    });
    assert(entry.epoch >= this.lastEpoch && entry.epoch > 0, 'epochs never fall in the log', {
      epoch: entry.epoch,
      lastEpoch: this.lastEpoch,
    });
    if (entry.epoch > this.lastEpoch) this.#epochs.push({ epoch: entry.epoch, startOffset: entry.offset });
    this.#tail.push(entry);
    this.#tailBytes += entry.payload.length;
    this.#endOffset++;
  }

  /** Forgets everything at and above `offset`. */
  truncateTo(offset: Offset): void {
    assert(offset >= 0 && offset <= this.#endOffset, 'a truncation lies in the log', {
      offset,
      endOffset: this.#endOffset,
    });
    if (offset === this.#endOffset) return;
    this.#endOffset = offset;
    this.#flushedOffset = Math.min(this.#flushedOffset, offset);
    if (offset < this.#handedOffset) {
      this.#generation++;
      this.#handedOffset = offset;
      this.#truncateFrom = Math.min(this.#truncateFrom ?? offset, offset);
    }
    this.#epochs = this.#epochs.filter(({ startOffset }) => startOffset < offset);
    const kept = Math.max(0, offset - this.#tailStart);
    for (const { payload } of this.#tail.splice(kept)) this.#tailBytes -= payload.length;
    this.#tailStart = Math.min(this.#tailStart, offset);
  }

  /** Epoch of the entry at `offset`, which must be in the log. */
  epochAt(offset: Offset): QuorumEpoch {
    assert(offset >= 0 && offset < this.#endOffset, 'the offset is in the log', { offset });
    return this.#epochs.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? 0;
  }

  /** The largest epoch of the log that is not above `epoch`, and where it ends; epoch 0 at 0 when there is none. */
  endOfEpoch(epoch: QuorumEpoch): EpochEnd {
    const index = this.#epochs.findLastIndex((start) => start.epoch <= epoch);
    const found = this.#epochs[index];
    if (found === undefined) return { epoch: 0, endOffset: 0 };
    return { epoch: found.epoch, endOffset: this.#epochs[index + 1]?.startOffset ?? this.#endOffset };
  }

  /**
   * Where a replica that ends at `offset` with an entry of `lastEpoch` departs from this log; undefined when it is a
   * prefix of it. Source: KIP-595, Log Reconciliation.
   */
  findDivergence(offset: Offset, lastEpoch: QuorumEpoch): EpochEnd | undefined {
    if (offset === 0) return undefined;
    const end = this.endOfEpoch(lastEpoch);
    return end.epoch !== lastEpoch || end.endOffset < offset ? end : undefined;
  }

  /** Where to cut this log after a leader answered `diverging`: one epoch per round trip at worst. */
  truncationPoint(diverging: EpochEnd): Offset {
    if (diverging.epoch === 0) return Math.min(diverging.endOffset, this.#endOffset);
    const mine = this.endOfEpoch(diverging.epoch);
    return mine.epoch === diverging.epoch ? Math.min(mine.endOffset, diverging.endOffset) : mine.endOffset;
  }

  /**
   * Entries from `from` up to `to` (default: the end) whose payloads fit in `maxBytes`, but at least one when there is
   * one. Undefined when `from` is no longer in memory.
   */
  readTail(from: Offset, maxBytes: number, to: Offset = this.#endOffset): readonly Entry[] | undefined {
    assert(from >= 0 && from <= to && to <= this.#endOffset, 'a read lies in the log', { from, to });
    if (from < this.#tailStart) return undefined;
    const first = from - this.#tailStart;
    const limit = to - this.#tailStart;
    return this.#tail.slice(first, endWithin(this.#tail, first, limit, maxBytes));
  }

  /** The next write for the store, or undefined when the store has been handed everything. */
  takeWrite(): LogWrite | undefined {
    if (this.#handedOffset === this.#endOffset && this.#truncateFrom === undefined) return undefined;
    const first = this.#handedOffset - this.#tailStart;
    const entries = this.#tail.slice(first, endWithin(this.#tail, first, this.#tail.length, WRITE_BYTES_MAX));
    const truncateFrom = this.#truncateFrom;
    this.#truncateFrom = undefined;
    this.#handedOffset += entries.length;
    const write = { generation: this.#generation, entries, endOffset: this.#handedOffset };
    return truncateFrom === undefined ? write : { ...write, truncateFrom };
  }

  /** The store has done `write`. A write of an older generation proves nothing by itself. */
  completeWrite(write: LogWrite): void {
    if (write.generation !== this.#generation) return;
    assert(
      write.endOffset >= this.#flushedOffset && write.endOffset <= this.#endOffset,
      'writes go forward',
      {
        written: write.endOffset,
        flushedOffset: this.#flushedOffset,
        endOffset: this.#endOffset,
      },
    );
    this.#flushedOffset = write.endOffset;
    this.#evict();
  }

  /** Above a limit, memory is freed down to half of it; entries that are not durable stay. */
  #evict(): void {
    const { bytes, entries } = this.#limits;
    if (this.#tailBytes <= bytes && this.#tail.length <= entries) return;
    const evictable = this.#flushedOffset - this.#tailStart;
    let count = 0;
    while (count < evictable && (this.#tailBytes > bytes / 2 || this.#tail.length - count > entries / 2)) {
      this.#tailBytes -= this.#tail[count]?.payload.length ?? 0;
      count++;
    }
    this.#tail.splice(0, count);
    this.#tailStart += count;
  }
}

/**
 * Exclusive end index: payloads of `[first, end)` fit in `maxBytes` and they are not too many, but at least one entry when
 * there is one.
 */
function endWithin(entries: readonly Entry[], first: number, limit: number, maxBytes: number): number {
  let end = first;
  let bytes = 0;
  const endMax = Math.min(limit, first + ENTRIES_AT_ONCE_MAX);
  while (end < endMax) {
    bytes += entries[end]?.payload.length ?? 0;
    if (bytes > maxBytes && end > first) break;
    end++;
  }
  return end;
}

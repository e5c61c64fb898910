import { assert, type LeaderEpoch, NONE, type Offset } from '../../base/index.ts';

export interface EpochEntry {
  readonly epoch: LeaderEpoch;
  readonly startOffset: Offset;
}

export interface EpochEnd {
  readonly epoch: LeaderEpoch;
  /** Exclusive. */
  readonly endOffset: Offset;
}

/**
 * Which leader epoch wrote which offsets: entries (epoch, first offset), both strictly growing.
 *
 * It answers where an epoch ends in this log, by which a follower finds the point where its log and its
 * leader's part. Truncating to the high watermark instead loses or splits committed records. Source:
 * KIP-101, KIP-279.
 */
export class EpochCache {
  #entries: EpochEntry[];

  /** `entries`: epoch and startOffset strictly growing. */
  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [...entries];
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** -1 when there is none. */
  get latestEpoch(): LeaderEpoch {
    return this.#entries.at(-1)?.epoch ?? NONE;
  }

  /** `epoch` begins at `startOffset`; entries that contradict it go. True when anything changed. */
  assign(epoch: LeaderEpoch, startOffset: Offset): boolean {
    assert(epoch >= 0 && startOffset >= 0, 'a leader epoch and its start are not negative', {
      epoch,
      startOffset,
    });
    const last = this.#entries.at(-1);
    if (last !== undefined && last.epoch === epoch && startOffset >= last.startOffset) return false;
    this.#entries = this.#entries.filter((entry) => entry.epoch < epoch && entry.startOffset < startOffset);
    this.#entries.push({ epoch, startOffset });
    return true;
  }

  /**
   * A batch of `epoch` stands at `offset`, the end of the log. Epochs that were said to begin there and
   * wrote nothing go, the start of an epoch that goes on stays. True when anything changed.
   */
  note(epoch: LeaderEpoch, offset: Offset): boolean {
    if (epoch === this.latestEpoch) return false;
    const cut = this.truncateFromEnd(offset);
    return (epoch !== this.latestEpoch && this.assign(epoch, offset)) || cut;
  }

  /** Of the batch at `offset`; undefined below the first entry. */
  epochAt(offset: Offset): LeaderEpoch | undefined {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (entry !== undefined && entry.startOffset <= offset) return entry.epoch;
    }
    return undefined;
  }

  /**
   * The largest epoch of this log at or below `epoch`, and where it ends. Nothing when `epoch` is unknown
   * (-1) or above all of them; an epoch below all of them ends where the first begins.
   */
  endOffsetFor(epoch: LeaderEpoch, logEndOffset: Offset): EpochEnd | undefined {
    const last = this.#entries.at(-1);
    if (epoch < 0 || last === undefined || epoch > last.epoch) return undefined;
    if (epoch === last.epoch) return { epoch, endOffset: logEndOffset };
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const endOffset = this.#entries[next]?.startOffset ?? logEndOffset;
    return { epoch: this.#entries[next - 1]?.epoch ?? epoch, endOffset };
  }

  /**
   * Forgets epochs that begin at or after `offset`; also when that is the end of the log, for a leader that
   * wrote nothing leaves an entry there (KAFKA-10706). True when anything changed.
   */
  truncateFromEnd(offset: Offset): boolean {
    return this.#keep(this.#entries.filter((entry) => entry.startOffset < offset));
  }

  /** The log begins at `offset` now: epochs wholly below it go, the one that holds it begins there. */
  truncateFromStart(offset: Offset): boolean {
    const below = this.#entries.filter((entry) => entry.startOffset <= offset);
    const holding = below.at(-1);
    if (holding === undefined || (below.length === 1 && holding.startOffset === offset)) return false;
    this.#entries = [{ epoch: holding.epoch, startOffset: offset }, ...this.#entries.slice(below.length)];
    return true;
  }

  clear(): boolean {
    return this.#keep([]);
  }

  #keep(entries: EpochEntry[]): boolean {
    const changed = entries.length !== this.#entries.length;
    this.#entries = entries;
    return changed;
  }
}

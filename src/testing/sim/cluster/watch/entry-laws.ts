/**
 * Of the entries of the metadata log, by what is on the disks:
 *
 *   what a leader calls committed is durable on a majority of the voters, and the same on each of them
 *   what is committed stays what it is, for every later leader
 *   one epoch writes an offset once: two disks that have an entry of the same epoch there have the same entry
 *   in the end every disk has what was committed
 *
 * Source: Raft §5.3, §5.4.3.
 */
import type { Offset, QuorumEpoch } from '../../../../base/index.ts';
import { LawBroken } from '../law-broken.ts';

/** An entry without what differs from disk to disk. */
export interface StoredEntry {
  readonly epoch: QuorumEpoch;
  /** Equal for equal kinds and payloads. */
  readonly content: string;
}

export class EntryLaws {
  /** By offset. */
  readonly #committed: (StoredEntry | undefined)[] = [];

  /** First offset that no leader has called committed. */
  get end(): Offset {
    return this.#committed.length;
  }

  /** A leader calls the entry at `offset` committed; `copies` are those of the voters, undefined where one has none. */
  commit(offset: Offset, copies: readonly (StoredEntry | undefined)[]): void {
    const majority = Math.floor(copies.length / 2) + 1;
    const held = copies.find(
      (copy) => copy !== undefined && copies.filter((other) => isSame(copy, other)).length >= majority,
    );
    if (held === undefined)
      throw new LawBroken('a committed entry is durable on a majority', { offset, copies });
    const known = this.#committed[offset];
    if (known !== undefined && !isSame(known, held))
      throw new LawBroken('a committed entry stays', { offset, known, held });
    this.#committed[offset] = held;
  }

  /**
   * A node knows the entry at `offset` to be committed, and has `entry` on its disk. False: not the same, but of another
   * epoch: its own may be on the way, or nobody has called it committed that was seen.
   */
  agrees(node: string, offset: Offset, entry: StoredEntry | undefined): boolean {
    const known = this.#committed[offset];
    if (known === undefined || entry === undefined) return false;
    if (isSame(known, entry)) return true;
    if (known.epoch === entry.epoch)
      throw new LawBroken('an epoch writes an offset once', { node, offset, known, entry });
    return false;
  }
}

function isSame(a: StoredEntry, b: StoredEntry | undefined): boolean {
  return a.epoch === b?.epoch && a.content === b.content;
}

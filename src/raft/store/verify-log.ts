/**
 * Reads the whole metadata log once, at opening, and believes nothing.
 *
 * Sound: base marker of this identity; entries at every offset from the base to the tail marker and at no other; each
 * entry's checksum, its hash link to the one before, and the tail marker's to the last; epochs never fall and stay
 * at or below the hard state's; the end is at or above the durable tail floor; the tail marker was not written under a
 * later hard state than the one found.
 *
 * A crash can only take whole batches that were never confirmed from the end (LevelDB drops a torn last batch by
 * itself), which leaves a sound log. Whatever else is found is damage, and every kind of it has been seen: a flipped
 * bit in LevelDB's log removes entries from the middle, a cut one removes synced entries from the end, a deleted one
 * opens as an empty store.
 */
import type { Offset } from '../../base/index.ts';
import type { KeyValueEntry, KeyValueStore } from '../../env/index.ts';
import {
  BASE_KEY,
  type BaseMarker,
  type ChainHash,
  decodeBase,
  decodeEntry,
  decodeTail,
  ENTRIES_END_KEY,
  entryKey,
  hashOfEntry,
  offsetOfKey,
  TAIL_KEY,
} from './entry-codec.ts';
import type { EpochStart, HardState, LogBounds, QuorumIdentity } from './quorum-store.ts';
import { RecentEntries } from './recent-entries.ts';

/** Entries held in memory at once while verifying. */
const SCAN_ENTRIES = 128;

export interface SoundLog {
  readonly bounds: LogBounds;
  readonly epochs: readonly EpochStart[];
  readonly lastHash: ChainHash;
  /** Its end, which is about to be read: once is enough. */
  readonly recent: RecentEntries;
}

export type Verification =
  | { readonly kind: 'sound'; readonly log: SoundLog }
  | { readonly kind: 'damaged'; readonly reason: string };

export interface Expected {
  readonly identity: QuorumIdentity;
  readonly hardState: HardState;
  readonly generation: number;
}

export async function verifyLog(store: KeyValueStore, expected: Expected): Promise<Verification> {
  const base = await store.get(BASE_KEY);
  if (base === undefined) return damaged('the log has lost its beginning: its files were deleted or emptied');
  const start = decodeBase(base);
  if (start === undefined) return damaged('the base marker of the log fails its checksum');
  const { clusterId, directoryId } = expected.identity;
  if (start.clusterId !== clusterId || start.directoryId !== directoryId)
    return damaged(
      `the log belongs to cluster ${start.clusterId}, directory ${start.directoryId}; ` +
        `the state next to it to cluster ${clusterId}, directory ${directoryId}`,
    );
  const walk = new ChainWalk(start);
  for (let from = entryKey(0); ; ) {
    const entries = await store.scan({ from, to: ENTRIES_END_KEY, limit: SCAN_ENTRIES });
    for (const entry of entries) {
      const problem = walk.step(entry);
      if (problem !== undefined) return damaged(problem);
    }
    if (entries.length < SCAN_ENTRIES) break;
    from = entryKey(walk.endOffset);
  }
  const problem = compareEnd(walk, await store.get(TAIL_KEY), expected);
  return problem === undefined ? { kind: 'sound', log: walk.result() } : damaged(problem);
}

function damaged(reason: string): Verification {
  return { kind: 'damaged', reason };
}

function compareEnd(
  walk: ChainWalk,
  tailBytes: Uint8Array | undefined,
  expected: Expected,
): string | undefined {
  const tail = tailBytes === undefined ? undefined : decodeTail(tailBytes);
  const { hardState, generation } = expected;
  if (tail === undefined) return 'the tail marker of the log is missing or fails its checksum';
  if (tail.endOffset !== walk.endOffset)
    return `the log ends at offset ${walk.endOffset}, but its tail marker says ${tail.endOffset}`;
  if (!tail.lastHash.equals(walk.lastHash)) return 'the tail marker does not fit the last entry of the log';
  if (walk.endOffset < hardState.tailFloor)
    return (
      `the log ends at offset ${walk.endOffset}, but entries below ${hardState.tailFloor} were durable once: ` +
      `${hardState.tailFloor - walk.endOffset} confirmed entries are lost`
    );
  if (tail.hardStateGeneration > generation)
    return `the log was written under state ${tail.hardStateGeneration}, but only the older ${generation} is here`;
  if (walk.lastEpoch > hardState.epoch)
    return `the log has entries of epoch ${walk.lastEpoch}, but the state next to it knows only ${hardState.epoch}`;
  return undefined;
}

class ChainWalk {
  readonly #startOffset: Offset;
  readonly #recent = new RecentEntries();
  readonly #epochs: EpochStart[] = [];
  endOffset: Offset;
  lastHash: ChainHash;

  constructor(base: BaseMarker) {
    this.#startOffset = base.startOffset;
    this.endOffset = base.startOffset;
    this.lastHash = base.hash;
  }

  get lastEpoch(): number {
    return this.#epochs.at(-1)?.epoch ?? 0;
  }

  /** What is wrong with the next entry, or undefined after having taken it in. */
  step(found: KeyValueEntry): string | undefined {
    const offset = offsetOfKey(found.key);
    if (offset !== this.endOffset)
      return `the log has a hole: entry ${this.endOffset} is missing, ${offset ?? 'a foreign key'} is there`;
    const decoded = decodeEntry(found.value);
    if ('problem' in decoded) return `entry ${offset} of the log has ${decoded.problem}`;
    const { entry, previous } = decoded;
    if (entry.offset !== offset) return `under offset ${offset} of the log lies entry ${entry.offset}`;
    if (!previous.equals(this.lastHash))
      return `entry ${offset} of the log does not continue the one before it`;
    if (entry.epoch < this.lastEpoch)
      return `entry ${offset} of the log has epoch ${entry.epoch} after epoch ${this.lastEpoch}`;
    if (entry.epoch > this.lastEpoch) this.#epochs.push({ epoch: entry.epoch, startOffset: offset });
    this.#recent.append([entry]);
    this.lastHash = hashOfEntry(found.value);
    this.endOffset = offset + 1;
    return undefined;
  }

  result(): SoundLog {
    return {
      bounds: { startOffset: this.#startOffset, endOffset: this.endOffset, lastEpoch: this.lastEpoch },
      epochs: this.#epochs,
      lastHash: this.lastHash,
      recent: this.#recent,
    };
  }
}

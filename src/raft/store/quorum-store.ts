import type { NodeId, Offset, QuorumEpoch, Uuid } from '../../base/index.ts';
import type { Entry, VoterKey } from '../core/messages.ts';

/**
 * What one node of the quorum keeps on disk: its identity, its election state and its log.
 *
 * Invariants: `log.startOffset <= hardState.tailFloor <= log.endOffset`; offsets are contiguous; epochs never fall;
 * `log.lastEpoch <= hardState.epoch` (the epoch is saved before an entry of it is appended).
 * After the first failed write every call rejects with the same EnvironmentError: what is on disk is then unknown, and
 * only a new process that opens and verifies the directory may go on.
 */
export interface QuorumStore {
  readonly identity: QuorumIdentity;
  /** As last saved; `tailFloor` as last made durable. */
  readonly hardState: HardState;
  /** The durable log, `[startOffset, endOffset)`; `lastEpoch` is 0 when it is empty. Moves when `append` resolves. */
  readonly log: LogBounds;
  /** First offset of each epoch in the durable log, ascending in both. */
  readonly epochs: readonly EpochStart[];
  /**
   * In one atomic batch: removes everything at and above `truncateFrom` (when given), then appends `entries`, which
   * must continue the log without a gap. Resolves when durable. May be called before an earlier call has resolved;
   * calls take effect in order and may share one sync. Waits for a `saveHardState` that was called before it.
   * `sync: false` permits the store to be lazier; it need not be.
   */
  append(entries: readonly Entry[], options: AppendOptions): Promise<void>;
  /**
   * Entries in `[from, to)`, ascending, verified by checksum and chain; stops before `maxBytes` of payload are exceeded,
   * but gives at least one entry when `from < to`. Both bounds must lie in the durable log. Rejects with CorruptionError
   * when an entry is missing or damaged: never fewer entries as if the log ended there. Entries that a truncation removed
   * between the call and the read are left out.
   */
  read(from: Offset, to: Offset, maxBytes: number): Promise<Entry[]>;
  /**
   * Durable when it resolves. The store keeps the tail floor itself. Asserts: the epoch never falls, and in its epoch a
   * vote is neither changed nor left out (KAFKA-17642, KAFKA-18389).
   */
  saveHardState(state: ElectionState): Promise<void>;
  /** Finishes what was asked, makes the floor equal to the end, gives the files back. */
  close(): Promise<void>;
}

export interface QuorumIdentity {
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
  readonly nodeId: NodeId;
}

/** Saved before the transition it records takes effect, hence before any message that tells of it (Raft §5.2). */
export interface ElectionState {
  readonly epoch: QuorumEpoch;
  /** -1: unknown. */
  readonly leaderId: NodeId;
  readonly votedFor?: VoterKey;
  /** The established voter set; empty: none yet. */
  readonly voters: readonly VoterKey[];
  /** What the quorum agreed on at its birth; absent: nothing yet, `identity.clusterId` is only a proposal. */
  readonly clusterId?: Uuid;
}

export interface HardState extends ElectionState {
  /** Every entry below it was durable once; opening without one of them is a loss, not a crash. */
  readonly tailFloor: Offset;
}

export interface LogBounds {
  readonly startOffset: Offset;
  /** Exclusive. */
  readonly endOffset: Offset;
  readonly lastEpoch: QuorumEpoch;
}

export interface EpochStart {
  readonly epoch: QuorumEpoch;
  readonly startOffset: Offset;
}

export interface AppendOptions {
  readonly truncateFrom?: Offset;
  readonly sync: boolean;
}

/** What opening a directory finds. */
export type QuorumStoreOpening =
  | { readonly kind: 'open'; readonly store: QuorumStore }
  /** Never formatted. */
  | { readonly kind: 'empty' }
  /** Damaged beyond what a crash can do. The node must serve nothing and vote for nobody. */
  | { readonly kind: 'quarantined'; readonly reason: string; readonly wayOut: string };

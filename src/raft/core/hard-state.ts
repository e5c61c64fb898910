import type { NodeId, Offset, QuorumEpoch, Uuid } from '../../base/index.ts';
import type { VoterKey } from './messages.ts';

/**
 * What a node must never forget, in one atomic record: durable before any message that depends on it leaves.
 * Source: Raft figure 2 (persistent state), KIP-595 quorum-state.
 */
export interface HardState {
  readonly epoch: QuorumEpoch;
  /** -1: unknown. */
  readonly leaderId: NodeId;
  readonly votedFor?: VoterKey;
  /** The established voter set; empty: none yet. */
  readonly voters: readonly VoterKey[];
  /** Absent: not agreed yet. */
  readonly clusterId?: Uuid;
}

/** First offset of one epoch in the log. */
export interface EpochStart {
  readonly epoch: QuorumEpoch;
  readonly startOffset: Offset;
}

/** What the store holds at start: `[0, endOffset)` and where its epochs begin, ascending. */
export interface StoredLog {
  readonly endOffset: Offset;
  readonly epochs: readonly EpochStart[];
}

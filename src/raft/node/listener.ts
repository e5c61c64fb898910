import type { NodeId, QuorumEpoch } from '../../base/index.ts';
import type { Endpoint, Entry } from '../core/index.ts';

/** A state machine over the log. Called one at a time, in order, never from within a call into the node by it. */
export interface QuorumListener {
  /** Data and control, each exactly once, in order, from offset 0, all below the high watermark. */
  handleCommit(entries: readonly Entry[]): void;
  handleLeaderChange(change: LeaderChanged): void;
  /** This node leads `epoch`, and every entry below the start of that epoch has been handed to this listener (KIP-595). */
  handleLeading(epoch: QuorumEpoch): void;
  /** After `handleLeading(epoch)`, once. Uncommitted entries of the epoch may or may not be committed by a successor. */
  handleNotLeading(epoch: QuorumEpoch): void;
}

export interface LeaderChanged {
  readonly epoch: QuorumEpoch;
  /** -1: unknown. */
  readonly leaderId: NodeId;
  readonly leaderEndpoint?: Endpoint;
}

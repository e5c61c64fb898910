/** What a broker needs of the metadata quorum; RaftNode is one. */
import type { NodeId, Offset, QuorumEpoch } from '../../base/index.ts';
import type { DescribeQuorumReply, Endpoint, Entry, VoterKey } from '../../raft/core/messages.ts';

export interface QuorumView {
  status(): {
    readonly nodeId: NodeId;
    readonly epoch: QuorumEpoch;
    /** -1: unknown. */
    readonly leaderId: NodeId;
    readonly leaderEndpoint?: Endpoint;
    /** Of the quorum, also where this node's log does not reach it yet; -1: unknown. */
    readonly quorumHighWatermark: Offset;
    readonly voters: readonly VoterKey[];
  };
  subscribe(listener: {
    handleCommit(entries: readonly Entry[]): void;
    handleLeaderChange(change: { readonly epoch: QuorumEpoch; readonly leaderId: NodeId }): void;
    handleLeading(epoch: QuorumEpoch): void;
    handleNotLeading(epoch: QuorumEpoch): void;
  }): () => void;
  describe(): DescribeQuorumReply;
}

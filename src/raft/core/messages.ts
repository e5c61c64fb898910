/**
 * The messages of the metadata quorum (KIP-595, pre-vote of KIP-996, high watermark in Fetch of KIP-1166).
 *
 * The log's unit is an entry: one batch of records that is replicated, committed and delivered whole, at one offset.
 * A fetch offset therefore always lies on a batch border. Source: KIP-595; the difference is ours (docs/decisions).
 */
import type { ErrorCode, NodeId, Offset, QuorumEpoch, Uuid } from '../../base/index.ts';

/** A voter is a node *with its disk*: a wiped directory gets a new id and with it no right to the old one's votes. */
export interface VoterKey {
  readonly id: NodeId;
  readonly directoryId: Uuid;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Entry {
  readonly offset: Offset;
  readonly epoch: QuorumEpoch;
  /** control: written and read by the quorum itself (leader change). data: opaque to it. */
  readonly kind: 'control' | 'data';
  readonly payload: Uint8Array;
}

/** Every reply teaches who leads: `leaderId` -1 when unknown. */
export interface QuorumReply {
  readonly error: ErrorCode;
  readonly leaderId: NodeId;
  readonly leaderEpoch: QuorumEpoch;
  readonly leaderEndpoint?: Endpoint;
}

export interface VoteRequest {
  readonly clusterId: Uuid;
  /** Who is asked. */
  readonly voter: VoterKey;
  readonly candidate: VoterKey;
  readonly candidateEpoch: QuorumEpoch;
  readonly lastEpoch: QuorumEpoch;
  /** The candidate's log end offset. */
  readonly lastOffset: Offset;
  readonly preVote: boolean;
}

export interface VoteReply extends QuorumReply {
  readonly voteGranted: boolean;
}

export interface BeginQuorumEpochRequest {
  readonly clusterId: Uuid;
  readonly voter: VoterKey;
  readonly leaderId: NodeId;
  readonly leaderEpoch: QuorumEpoch;
  readonly leaderEndpoint: Endpoint;
}

export interface EndQuorumEpochRequest {
  readonly clusterId: Uuid;
  readonly leaderId: NodeId;
  readonly leaderEpoch: QuorumEpoch;
  /** Best successor first: by known end offset, descending. */
  readonly preferredCandidates: readonly VoterKey[];
}

export interface QuorumFetchRequest {
  readonly clusterId: Uuid;
  readonly replica: VoterKey;
  readonly currentLeaderEpoch: QuorumEpoch;
  /** Everything below it is durable at the replica (Raft's "persist before reply", §5.1 of the dissertation). */
  readonly fetchOffset: Offset;
  readonly lastFetchedEpoch: QuorumEpoch;
  /** -1: unknown. */
  readonly highWatermark: Offset;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
}

export interface QuorumFetchReply extends QuorumReply {
  /** -1: unknown. */
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
  /** Set when the replica's log diverges: cut to this epoch's end, then fetch again. `entries` is empty then. */
  readonly divergingEpoch?: { readonly epoch: QuorumEpoch; readonly endOffset: Offset };
  readonly entries: readonly Entry[];
}

/** Asked of each configured voter by a node whose directory is new, before it may take part (see core/bootstrap). */
export interface IdentifyRequest {
  readonly voter: VoterKey;
  /** As in the reply: of the asker. */
  readonly founders: readonly VoterKey[];
}

export interface IdentifyReply {
  /** '' while the answering node knows none. */
  readonly clusterId: Uuid;
  readonly voter: VoterKey;
  /** The voter set the node takes part in; empty: its directory is as new as the asker's may be. */
  readonly voters: readonly VoterKey[];
  /**
   * With whom the node would found a quorum: each voter it is configured with, itself included, ascending by id. Directory
   * id '': that one has not answered it yet, or a disagreement with a third node holds this one back. Empty: it founds
   * none, since it follows only or takes part already.
   */
  readonly founders: readonly VoterKey[];
}

export interface DescribeQuorumRequest {
  readonly clusterId?: Uuid;
}

export interface DescribeQuorumReply extends QuorumReply {
  readonly highWatermark: Offset;
  readonly logEndOffset: Offset;
  readonly voters: readonly ReplicaState[];
  readonly observers: readonly ReplicaState[];
}

export interface ReplicaState {
  readonly replica: VoterKey;
  /** -1: unknown. */
  readonly logEndOffset: Offset;
  /** Milliseconds since the leader last heard of it; -1: never. */
  readonly lastFetchAgeMs: number;
  readonly lastCaughtUpAgeMs: number;
}

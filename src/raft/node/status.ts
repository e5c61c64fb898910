import { NONE, type NodeId, type Offset, type QuorumEpoch, type Uuid } from '../../base/index.ts';
import type { Endpoint, HardState, RaftCore, RoleName, StoredLog, VoterKey } from '../core/index.ts';

export interface QuorumStatus {
  /** bootstrapping: the quorum is not established, or this node does not know it yet. */
  readonly role: RoleName | 'bootstrapping';
  readonly nodeId: NodeId;
  readonly directoryId: Uuid;
  /** '' while none is agreed. */
  readonly clusterId: Uuid;
  readonly epoch: QuorumEpoch;
  /** -1: unknown. */
  readonly leaderId: NodeId;
  readonly leaderEndpoint?: Endpoint;
  /** First offset not known to be committed; -1: unknown. */
  readonly highWatermark: Offset;
  /** As `highWatermark`, but also of entries that this node has not fetched yet; -1: unknown. */
  readonly quorumHighWatermark: Offset;
  readonly logEndOffset: Offset;
  /** The established voter set; empty while there is none. */
  readonly voters: readonly VoterKey[];
}

interface Known {
  readonly self: VoterKey;
  readonly clusterId: Uuid;
  readonly log: StoredLog;
  readonly endpoints: ReadonlyMap<NodeId, Endpoint>;
}

export function statusOf(known: Known, hardState: HardState, core: RaftCore | undefined): QuorumStatus {
  const { id: nodeId, directoryId } = known.self;
  const { voters } = hardState;
  const agreed = voters.length > 0 ? known.clusterId : '';
  const common = { nodeId, directoryId, voters, clusterId: hardState.clusterId ?? agreed };
  if (core === undefined) {
    const { endOffset: logEndOffset } = known.log;
    const unknown = { epoch: 0, leaderId: NONE, highWatermark: NONE, quorumHighWatermark: NONE };
    return { ...common, role: 'bootstrapping', ...unknown, logEndOffset };
  }
  const { role, epoch, leaderId, highWatermark, quorumHighWatermark, logEndOffset } = core;
  const leaderEndpoint = known.endpoints.get(leaderId);
  const state = { ...common, role, epoch, leaderId, highWatermark, quorumHighWatermark, logEndOffset };
  return leaderEndpoint === undefined ? state : { ...state, leaderEndpoint };
}

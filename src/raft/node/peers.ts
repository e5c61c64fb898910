import { assertNever, EnvironmentError, type NodeId } from '../../base/index.ts';
import type {
  BeginQuorumEpochRequest,
  Endpoint,
  EndQuorumEpochRequest,
  IdentifyReply,
  IdentifyRequest,
  QuorumAnswer,
  QuorumFetchReply,
  QuorumFetchRequest,
  QuorumReply,
  QuorumRequest,
  VoteReply,
  VoteRequest,
} from '../core/index.ts';
import type { CallResult, QuorumCalls } from './ports.ts';

export interface QuorumCallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The client's side of the quorum service, as far as a node calls others. A connection's `quorum` fits. */
export interface QuorumPeer {
  identify(request: IdentifyRequest, call: QuorumCallOptions): Promise<IdentifyReply>;
  vote(request: VoteRequest, call: QuorumCallOptions): Promise<VoteReply>;
  beginQuorumEpoch(request: BeginQuorumEpochRequest, call: QuorumCallOptions): Promise<QuorumReply>;
  endQuorumEpoch(request: EndQuorumEpochRequest, call: QuorumCallOptions): Promise<QuorumReply>;
  fetch(request: QuorumFetchRequest, call: QuorumCallOptions): Promise<QuorumFetchReply>;
}

/** Calls over peers that `connect` makes, one for each node, when first needed. */
export function callsOverPeers(
  endpoints: ReadonlyMap<NodeId, Endpoint>,
  connect: (nodeId: NodeId, endpoint: Endpoint) => QuorumPeer,
): QuorumCalls {
  const peers = new Map<NodeId, QuorumPeer>();
  const peerOf = (id: NodeId): QuorumPeer => {
    const known = peers.get(id);
    if (known !== undefined) return known;
    const endpoint = endpoints.get(id);
    if (endpoint === undefined)
      throw new EnvironmentError('unreachable', `node ${id}`, 'no endpoint is known');
    const peer = connect(id, endpoint);
    peers.set(id, peer);
    return peer;
  };
  return {
    call: (to, message, timeoutMs, done) => {
      settle(async () => ask(peerOf(to), message, { timeoutMs }), done);
    },
    identify: (to, request, timeoutMs, done) => {
      settle(async () => peerOf(to).identify(request, { timeoutMs }), done);
    },
  };
}

async function ask(peer: QuorumPeer, message: QuorumRequest, call: QuorumCallOptions): Promise<QuorumAnswer> {
  switch (message.kind) {
    case 'vote':
      return { kind: 'vote', reply: await peer.vote(message.request, call) };
    case 'begin-epoch':
      return { kind: 'begin-epoch', reply: await peer.beginQuorumEpoch(message.request, call) };
    case 'end-epoch':
      return { kind: 'end-epoch', reply: await peer.endQuorumEpoch(message.request, call) };
    case 'fetch':
      return { kind: 'fetch', reply: await peer.fetch(message.request, call) };
    default:
      return assertNever(message);
  }
}

function settle<Answer>(call: () => Promise<Answer>, done: (result: CallResult<Answer>) => void): void {
  call().then(
    (answer) => done({ kind: 'answer', answer }),
    (error: unknown) => done({ kind: 'failed', disconnected: isDisconnect(error) }),
  );
}

function isDisconnect(error: unknown): boolean {
  if (!(error instanceof EnvironmentError)) return false;
  return error.reason === 'unreachable' || error.reason === 'disconnected' || error.reason === 'closed';
}

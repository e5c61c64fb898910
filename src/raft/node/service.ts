import { ApiError, assert } from '../../base/index.ts';
import type {
  BeginQuorumEpochRequest,
  DescribeQuorumReply,
  DescribeQuorumRequest,
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
import type { QuorumDriver } from './driver.ts';

/** Calls of peers that may wait for an answer at once; above it a call is refused with RESOURCE_EXHAUSTED. */
const PENDING_CALLS_MAX = 4096;

/** The server's side of the quorum service, in the shape of rpc/api's QuorumService. What the caller is does not matter. */
export interface QuorumServer {
  identify(request: IdentifyRequest, call: unknown): Promise<IdentifyReply>;
  vote(request: VoteRequest, call: unknown): Promise<VoteReply>;
  beginQuorumEpoch(request: BeginQuorumEpochRequest, call: unknown): Promise<QuorumReply>;
  endQuorumEpoch(request: EndQuorumEpochRequest, call: unknown): Promise<QuorumReply>;
  fetch(request: QuorumFetchRequest, call: unknown): Promise<QuorumFetchReply>;
  describeQuorum(request: DescribeQuorumRequest, call: unknown): Promise<DescribeQuorumReply>;
}

export function serveDriver(driver: QuorumDriver): QuorumServer {
  const answer = async (message: QuorumRequest): Promise<QuorumAnswer> => {
    if (driver.pendingCalls >= PENDING_CALLS_MAX) throw new ApiError('RESOURCE_EXHAUSTED');
    const result = await new Promise<QuorumAnswer | undefined>((resolve) => driver.handle(message, resolve));
    if (result === undefined) throw new ApiError('BROKER_NOT_AVAILABLE', 'the node is closing');
    return result;
  };
  const announce = async (message: QuorumRequest): Promise<QuorumReply> => (await answer(message)).reply;
  return {
    identify: async (request) => driver.handleIdentify(request),
    vote: async (request) => {
      const result = await answer({ kind: 'vote', request });
      assert(result.kind === 'vote', 'a vote request is answered by a vote', { kind: result.kind });
      return result.reply;
    },
    beginQuorumEpoch: (request) => announce({ kind: 'begin-epoch', request }),
    endQuorumEpoch: (request) => announce({ kind: 'end-epoch', request }),
    fetch: async (request) => {
      const result = await answer({ kind: 'fetch', request });
      assert(result.kind === 'fetch', 'a fetch is answered by a fetch', { kind: result.kind });
      return result.reply;
    },
    describeQuorum: async () => driver.describe(),
  };
}

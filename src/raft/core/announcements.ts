/**
 * The receiver's side of BeginQuorumEpoch and EndQuorumEpoch: who leads, and that it leads no longer.
 *
 * With pull replication nobody would fetch from a new leader that does not tell. Source: KIP-595.
 */
import { type ErrorCode, NONE } from '../../base/index.ts';
import { isOtherCluster, learn } from './learning.ts';
import type { BeginQuorumEpochRequest, EndQuorumEpochRequest } from './messages.ts';
import type { Quorum } from './quorum.ts';
import { succeedLeader } from './suspicion.ts';
import { sameVoter } from './voter-set.ts';

type Announced = Pick<BeginQuorumEpochRequest, 'clusterId' | 'leaderId' | 'leaderEpoch'>;

export function handleBeginQuorumEpoch(q: Quorum, callId: number, request: BeginQuorumEpochRequest): void {
  let error = adopt(q, request);
  // What the message teaches about the epoch is used even when it was meant for somebody else's disk.
  if (error === 'NONE' && !sameVoter(request.voter, q.self)) error = 'INVALID_VOTER_KEY';
  q.reply(callId, { kind: 'begin-epoch', reply: q.replyHeader(error) });
}

export function handleEndQuorumEpoch(q: Quorum, callId: number, request: EndQuorumEpochRequest): void {
  const error = adopt(q, request);
  const isFromLeader = error === 'NONE' && q.leaderId === request.leaderId;
  if (isFromLeader && q.role.kind === 'follower') succeedLeader(q, q.role, request);
  q.reply(callId, { kind: 'end-epoch', reply: q.replyHeader(error) });
}

function adopt(q: Quorum, request: Announced): ErrorCode {
  if (isOtherCluster(q, request.clusterId)) return 'INCONSISTENT_CLUSTER_ID';
  if (request.leaderEpoch < q.epoch) return 'FENCED_LEADER_EPOCH';
  if (request.leaderId <= NONE || request.leaderId === q.self.id) return 'INVALID_REQUEST';
  learn(q, request.leaderEpoch, request.leaderId);
  return 'NONE';
}

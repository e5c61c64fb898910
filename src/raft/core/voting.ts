/**
 * The receiver's side of elections and pre-elections.
 *
 * A vote of an epoch is given once, durably, to a candidate whose log is at least as up to date; asking again gives the
 * same answer. A pre-vote promises nothing and changes nothing: it says that this node does not hear a leader and would
 * vote. So a node whose link to the leader broke cannot force an election on those who still hear it.
 *
 * Source: Raft §5.2, §5.4.1, dissertation §9.6; KIP-595 Vote; KIP-996 pre-vote. Beyond Kafka: a resigned leader, a
 * candidate without hope, and a follower that saw its leader's connection break grant pre-votes, so that no election
 * waits for a timer that has nothing to protect.
 */
import { type ErrorCode, NONE } from '../../base/index.ts';
import { isOtherCluster } from './learning.ts';
import type { VoteRequest } from './messages.ts';
import type { Quorum } from './quorum.ts';
import { enterUnattached } from './roles/enter.ts';
import { sameVoter } from './voter-set.ts';

export function handleVote(q: Quorum, callId: number, request: VoteRequest): void {
  const refusal = refuse(q, request);
  const voteGranted = refusal === undefined && canGrant(q, request);
  if (voteGranted && !request.preVote) castVote(q, request);
  q.reply(callId, { kind: 'vote', reply: { ...q.replyHeader(refusal ?? 'NONE'), voteGranted } });
}

function refuse(q: Quorum, request: VoteRequest): ErrorCode | undefined {
  const { candidate, candidateEpoch, lastEpoch, lastOffset, preVote } = request;
  if (isOtherCluster(q, request.clusterId)) return 'INCONSISTENT_CLUSTER_ID';
  const lastEpochMax = preVote ? candidateEpoch : candidateEpoch - 1;
  if (lastOffset < 0 || lastEpoch < 0 || lastEpoch > lastEpochMax) return 'INVALID_REQUEST';
  if (candidateEpoch < q.epoch) return 'FENCED_LEADER_EPOCH';
  if (candidate.id < 0 || candidate.id === q.self.id) return 'INVALID_REQUEST';
  if (candidateEpoch > q.epoch) enterUnattached(q, candidateEpoch, 'asked to vote in a higher epoch');
  if (!sameVoter(request.voter, q.self)) return 'INVALID_VOTER_KEY';
  return undefined;
}

function canGrant(q: Quorum, request: VoteRequest): boolean {
  return request.preVote ? canGrantPreVote(q, request) : canGrantVote(q, request);
}

function canGrantVote(q: Quorum, request: VoteRequest): boolean {
  if (q.role.kind !== 'unattached') return isOwnVote(q, request);
  if (q.votedFor !== undefined) return isOwnVote(q, request);
  return q.leaderId === NONE && isUpToDate(q, request);
}

/** The vote of this epoch was given to this candidate: the reply may have been lost, the answer stays the same. */
function isOwnVote(q: Quorum, request: VoteRequest): boolean {
  const { role, votedFor } = q;
  if (role.kind !== 'unattached' && role.kind !== 'prospective') return false;
  return votedFor !== undefined && sameVoter(votedFor, request.candidate);
}

function canGrantPreVote(q: Quorum, request: VoteRequest): boolean {
  const { role } = q;
  switch (role.kind) {
    case 'unattached':
    case 'prospective':
    case 'resigned':
      return isUpToDate(q, request);
    case 'candidate':
      return role.isHopeless && isUpToDate(q, request);
    case 'follower':
      return (!role.hasFetched || role.suspectsLeader) && isUpToDate(q, request);
    case 'leader':
    case 'observer':
      return false;
  }
}

/** The candidate's log ends in a later epoch, or in the same one and no earlier. Source: Raft §5.4.1. */
function isUpToDate(q: Quorum, { lastEpoch, lastOffset }: VoteRequest): boolean {
  const mine = q.log.lastEpoch;
  return lastEpoch > mine || (lastEpoch === mine && lastOffset >= q.log.endOffset);
}

function castVote(q: Quorum, request: VoteRequest): void {
  const isNew = q.votedFor === undefined;
  q.vote(request.candidate);
  if (isNew && q.role.kind === 'unattached') q.role.deadlineMs = q.nowMs + q.randomElectionTimeoutMs();
}

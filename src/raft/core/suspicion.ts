import type { NodeId } from '../../base/index.ts';
import type { EndQuorumEpochRequest } from './messages.ts';
import type { Quorum } from './quorum.ts';
import { spreadMs } from './roles/enter.ts';
import type { Follower } from './roles/role.ts';
import { sameVoter } from './voter-set.ts';

/**
 * The connection to the leader broke, or it says it leads no longer. It gets a grace to come back, once; a pre-vote
 * protects it if it lives. The next fetch that succeeds clears the suspicion.
 */
export function suspectLeader(q: Quorum, role: Follower, nodeId: NodeId, graceMs: number): void {
  if (nodeId !== q.leaderId || role.suspectsLeader) return;
  role.suspectsLeader = true;
  role.deadlineMs = Math.min(role.deadlineMs, q.nowMs + graceMs + spreadMs(q));
}

/**
 * The leader gave up its epoch: the best successor starts at once, the next ones a little later, those it does not name
 * last. Source: KIP-595 EndQuorumEpoch, Kafka's endEpochElectionBackoff.
 */
export function succeedLeader(q: Quorum, role: Follower, request: EndQuorumEpochRequest): void {
  const { preferredCandidates } = request;
  const position = preferredCandidates.findIndex((key) => sameVoter(key, q.self));
  const delayMs = successionDelayMs(position, preferredCandidates.length, q.timeouts.electionBackoffMaxMs);
  role.suspectsLeader = true;
  role.deadlineMs = Math.min(role.deadlineMs, q.nowMs + delayMs);
}

/** 0 for the first; then (max / 2^(count-1)) * 2^(position-1); `maxMs` for one that is not in the list. */
export function successionDelayMs(position: number, count: number, maxMs: number): number {
  if (position === 0) return 0;
  if (position < 0 || position >= count) return maxMs;
  return Math.min(maxMs, (maxMs / 2 ** (count - 1)) * 2 ** (position - 1));
}

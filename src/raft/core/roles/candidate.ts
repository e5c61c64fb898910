import type { Quorum } from '../quorum.ts';
import { askVoters } from './campaign.ts';
import { electionBackoffMs, enterLeader, enterProspective } from './enter.ts';
import type { Candidate } from './role.ts';

/**
 * Voted for itself; asks the others. When it will hardly win any more it waits a random while, so that not all who split
 * the votes try again together, and starts over with a pre-vote. Until then a late vote still makes it the leader.
 * Source: Raft §5.2, KIP-595 (exponential backoff after a lost election), KIP-996.
 */
export function actCandidate(q: Quorum, role: Candidate): void {
  const { election } = role;
  // The own vote counts once it is durable. With more voters it is, or nobody else had been asked.
  if (election.isWon && q.persistence.isHardStateDurable) {
    enterLeader(q, election.granting);
    return;
  }
  if (election.isHopeless && !role.isHopeless) {
    role.isHopeless = true;
    q.electionRetries++;
    role.deadlineMs = Math.min(role.deadlineMs, q.nowMs + electionBackoffMs(q));
  }
  if (q.nowMs >= role.deadlineMs) {
    if (!role.isHopeless) q.electionRetries++;
    enterProspective(q, 'election lost');
  } else {
    askVoters(q, election, false);
  }
}

import type { Quorum } from '../quorum.ts';
import { askVoters } from './campaign.ts';
import { electionBackoffMs, enterLeader, enterProspective } from './enter.ts';
import type { Candidate } from './role.ts';

/**
 * Voted for itself; asks the others. When it cannot win any more it waits a random while, so that not all who split the
 * votes try again together, and starts over with a pre-vote. Source: Raft §5.2, KIP-996.
 */
export function actCandidate(q: Quorum, role: Candidate): void {
  const { election } = role;
  // The own vote counts once it is durable. With more voters it is, or nobody else had been asked.
  if (election.isWon && q.persistence.isHardStateDurable) {
    enterLeader(q, election.granting);
    return;
  }
  if (election.isLost && !role.isLost) {
    role.isLost = true;
    q.electionRetries++;
    role.deadlineMs = Math.min(role.deadlineMs, q.nowMs + electionBackoffMs(q));
  }
  if (q.nowMs >= role.deadlineMs) {
    if (!role.isLost) q.electionRetries++;
    enterProspective(q, 'election lost');
  } else if (!role.isLost) {
    askVoters(q, election, false);
  }
}

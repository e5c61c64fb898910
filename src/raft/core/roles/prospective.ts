import type { Quorum } from '../quorum.ts';
import { askVoters } from './campaign.ts';
import { enterCandidate, leaveProspective } from './enter.ts';
import type { Prospective } from './role.ts';

/** Asks in its current epoch whether an election could be won; only then is the epoch raised. Source: KIP-996. */
export function actProspective(q: Quorum, role: Prospective): void {
  const { election } = role;
  if (election.isWon) enterCandidate(q);
  else if (election.isHopeless) leaveProspective(q, 'pre-vote lost');
  else if (q.nowMs >= role.deadlineMs) leaveProspective(q, 'pre-vote timeout');
  else askVoters(q, election, true);
}

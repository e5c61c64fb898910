import type { Election } from '../election.ts';
import { learnFromReply } from '../learning.ts';
import type { VoteReply } from '../messages.ts';
import type { Quorum } from '../quorum.ts';

/** Asks every voter that has not been asked; a call that failed is made again after the backoff. */
export function askVoters(q: Quorum, election: Election, preVote: boolean): void {
  for (const voter of election.dueVoters(q.nowMs)) {
    const { clusterId, self: candidate, epoch: candidateEpoch, log } = q;
    const { lastEpoch, endOffset: lastOffset } = log;
    const request = { clusterId, voter, candidate, candidateEpoch, lastEpoch, lastOffset, preVote };
    election.asked(voter.id, q.send(voter.id, { kind: 'vote', request }));
  }
}

/** An answer to the campaign of the current role; one that decides nothing is asked for again. */
export function handleVoteReply(q: Quorum, requestId: number, reply: VoteReply): void {
  const lesson = learnFromReply(q, reply);
  if (lesson === 'moved') return;
  const { role } = q;
  if (role.kind !== 'prospective' && role.kind !== 'candidate') return;
  if (lesson === 'same' && reply.error === 'NONE') role.election.answered(requestId, reply.voteGranted);
  else role.election.failed(requestId, q.nowMs + q.timeouts.retryBackoffMs);
}

export function handleVoteFailed(q: Quorum, requestId: number): void {
  const { role } = q;
  if (role.kind !== 'prospective' && role.kind !== 'candidate') return;
  role.election.failed(requestId, q.nowMs + q.timeouts.retryBackoffMs);
}

import { maybeFetch } from '../fetching.ts';
import type { Quorum } from '../quorum.ts';
import { enterProspective } from './enter.ts';
import type { Follower } from './role.ts';

/**
 * Fetches from the leader of its epoch. Seeks an election when no fetch succeeded for the fetch timeout; but not while
 * its own disk keeps it from fetching: that says nothing about the leader (redpanda#30817).
 */
export function actFollower(q: Quorum, role: Follower): void {
  if (q.nowMs >= role.deadlineMs && q.persistence.isWritingLog)
    role.deadlineMs = q.nowMs + q.timeouts.fetchTimeoutMs;
  if (q.nowMs >= role.deadlineMs && !q.isShuttingDown)
    enterProspective(q, role.suspectsLeader ? 'leader gone' : 'fetch timeout');
  else maybeFetch(q, role.fetch, q.leaderId);
}

import { anyPeer, forgetTarget } from '../discovery.ts';
import { maybeFetch } from '../fetching.ts';
import type { Quorum } from '../quorum.ts';
import type { Observer } from './role.ts';

/**
 * Follows without a vote. It never seeks an election: without a leader it asks any voter, whose refusal names the leader.
 * Source: KIP-595 (observers).
 */
export function actObserver(q: Quorum, role: Observer): void {
  if (q.nowMs >= role.deadlineMs) forgetTarget(q, role);
  if (role.fetch.requestId !== undefined || q.nowMs < role.fetch.notBeforeMs) return;
  const target = role.target ?? anyPeer(q);
  if (target === undefined) role.fetch.notBeforeMs = q.nowMs + q.timeouts.retryBackoffMs;
  else maybeFetch(q, role.fetch, target);
}

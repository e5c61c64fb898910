import { NONE, type NodeId } from '../../base/index.ts';
import type { Quorum } from './quorum.ts';
import type { Observer } from './roles/role.ts';

/** Asks anybody from now on; a fetch that is under way is given up. */
export function forgetTarget(q: Quorum, role: Observer): void {
  role.target = undefined;
  role.fetch.requestId = undefined;
  role.deadlineMs = q.nowMs + q.timeouts.fetchTimeoutMs;
}

/** A refusal named `leaderId`: go there, at once when it is news. */
export function redirect(q: Quorum, role: Observer, leaderId: NodeId): void {
  const isNews = leaderId !== NONE && leaderId !== role.target && leaderId !== q.self.id;
  role.target = isNews ? leaderId : undefined;
  role.fetch.notBeforeMs = isNews ? q.nowMs : q.nowMs + q.timeouts.retryBackoffMs;
}

/** Any node that may know who leads; undefined when no other is configured. */
export function anyPeer(q: Quorum): NodeId | undefined {
  const peers = [...q.endpoints.keys()].filter((id) => id !== q.self.id);
  return peers.length === 0 ? undefined : peers[q.random.integer(0, peers.length)];
}

/**
 * The follower's side of replication, for voters and observers.
 *
 * One fetch in flight. Its offset claims that everything below is durable here, so it leaves only after what was appended
 * has been synced; the leader counts on it. A reply is processed only if it answers the fetch in flight: it can then only
 * continue the log where it ended when it was asked for. Source: KIP-595 Fetch; Raft §5.3; KAFKA-10533.
 */
import { assert, NONE, type NodeId } from '../../base/index.ts';
import { forgetTarget, redirect } from './discovery.ts';
import { learnFromReply } from './learning.ts';
import { ENTRY_BYTES_MAX } from './limits.ts';
import type { QuorumFetchReply } from './messages.ts';
import type { Quorum } from './quorum.ts';
import type { FetchState, Follower, Observer } from './roles/role.ts';
import { suspectLeader } from './suspicion.ts';

export function maybeFetch(q: Quorum, fetch: FetchState, target: NodeId): void {
  if (fetch.requestId !== undefined || q.nowMs < fetch.notBeforeMs || !q.log.isDurable) return;
  const { fetchMaxWaitMs: maxWaitMs, requestTimeoutMs } = q.timeouts;
  const request = {
    clusterId: q.clusterId,
    replica: q.self,
    currentLeaderEpoch: q.epoch,
    fetchOffset: q.log.endOffset,
    lastFetchedEpoch: q.log.lastEpoch,
    highWatermark: q.highWatermark,
    maxWaitMs,
    maxBytes: ENTRY_BYTES_MAX,
  };
  fetch.requestId = q.send(target, { kind: 'fetch', request }, maxWaitMs + requestTimeoutMs);
}

export function handleFetchReply(q: Quorum, requestId: number, reply: QuorumFetchReply): void {
  const asked = q.role;
  const isAwaited =
    (asked.kind === 'follower' || asked.kind === 'observer') && asked.fetch.requestId === requestId;
  if (isAwaited) asked.fetch.requestId = undefined;
  const lesson = learnFromReply(q, reply);
  if (lesson === 'moved' || !isAwaited) return;
  if (lesson === 'same' && reply.error === 'NONE') {
    accept(q, asked, reply);
    return;
  }
  asked.fetch.notBeforeMs = q.nowMs + q.timeouts.retryBackoffMs;
  if (asked.kind === 'observer') redirect(q, asked, lesson === 'stale' ? NONE : q.leaderId);
  else if (lesson === 'same' && reply.error === 'NOT_LEADER_OR_FOLLOWER')
    suspectLeader(q, asked, q.leaderId, 0);
}

/** No answer came. When the connection broke, the leader may be gone. */
export function handleFetchFailed(q: Quorum, requestId: number, disconnected: boolean): void {
  const { role } = q;
  if (role.kind !== 'follower' && role.kind !== 'observer') return;
  if (role.fetch.requestId !== requestId) return;
  role.fetch.requestId = undefined;
  role.fetch.notBeforeMs = q.nowMs + q.timeouts.retryBackoffMs;
  if (role.kind === 'observer') forgetTarget(q, role);
  else if (disconnected) suspectLeader(q, role, q.leaderId, q.timeouts.disconnectGraceMs);
}

function accept(q: Quorum, role: Follower | Observer, reply: QuorumFetchReply): void {
  assert(reply.leaderId === q.leaderId, 'only the leader of the epoch answers a fetch', {
    answering: reply.leaderId,
    leaderId: q.leaderId,
  });
  role.deadlineMs = q.nowMs + q.timeouts.fetchTimeoutMs;
  role.fetch.notBeforeMs = q.nowMs;
  q.electionRetries = 0;
  if (role.kind === 'follower') {
    role.hasFetched = true;
    role.suspectsLeader = false;
  } else {
    role.target = q.leaderId;
  }
  if (reply.divergingEpoch !== undefined) {
    const offset = q.log.truncationPoint(reply.divergingEpoch);
    assert(offset < q.log.endOffset, 'reconciliation makes progress', {
      offset,
      diverging: reply.divergingEpoch,
    });
    q.truncate(offset);
    return;
  }
  for (const entry of reply.entries) {
    assert(entry.epoch <= q.epoch, 'no entry is of an epoch to come', { entry: entry.epoch, epoch: q.epoch });
    q.log.append(entry);
  }
  q.toldHighWatermark = Math.max(q.toldHighWatermark, reply.highWatermark);
  if (reply.highWatermark !== NONE) q.commit(Math.min(reply.highWatermark, q.log.endOffset));
}

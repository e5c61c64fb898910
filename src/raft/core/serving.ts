/**
 * The leader's side of replication: answers fetches at once or parks them.
 *
 * At once: a refusal, a divergence, entries above the fetch offset, or a high watermark the replica does not know yet
 * (KIP-1166). Otherwise the fetch waits here, so that an append or a commit reaches every replica in half a round trip.
 * Entries are served up to the log's end, committed or not. Only a fetch that continues this log changes what the leader
 * believes of the replica (KAFKA-15100). A parked fetch that is looked at again is evaluated from the start, but is no
 * new sign of life. Source: KIP-595.
 */
import { type ErrorCode, type MonotonicMs, NONE } from '../../base/index.ts';
import { isOtherCluster } from './learning.ts';
import { ENTRY_BYTES_MAX, OBSERVER_SESSION_MS, OBSERVERS_MAX } from './limits.ts';
import type { Entry, QuorumFetchReply, QuorumFetchRequest } from './messages.ts';
import type { Quorum } from './quorum.ts';
import { checkQuorumMs } from './roles/enter.ts';
import type { Leader, ParkedFetch, Replica } from './roles/role.ts';
import { voterName } from './voter-set.ts';

export function handleFetch(q: Quorum, callId: number, request: QuorumFetchRequest): void {
  const refusal = refuse(q, request);
  if (refusal !== undefined || q.role.kind !== 'leader') {
    answer(q, callId, emptyReply(q, refusal ?? 'NOT_LEADER_OR_FOLLOWER', NONE));
    return;
  }
  const leader = q.role;
  const diverging = q.log.findDivergence(request.fetchOffset, request.lastFetchedEpoch);
  if (diverging !== undefined) {
    const { epoch, endOffset } = diverging;
    const reply = emptyReply(q, 'NONE', leader.highWatermark);
    answer(q, callId, { ...reply, divergingEpoch: { epoch, endOffset } });
    return;
  }
  recordFetch(q, leader, request);
  const name = voterName(request.replica);
  const replaced = leader.parked.get(name);
  if (replaced !== undefined) answer(q, replaced.callId, emptyReply(q, 'NONE', leader.highWatermark));
  const deadlineMs = q.nowMs + Math.min(request.maxWaitMs, q.timeouts.fetchTimeoutMs);
  leader.parked.set(name, { callId, request, deadlineMs, isReading: false });
}

function refuse(q: Quorum, request: QuorumFetchRequest): ErrorCode | undefined {
  const { currentLeaderEpoch, fetchOffset, lastFetchedEpoch } = request;
  if (isOtherCluster(q, request.clusterId)) return 'INCONSISTENT_CLUSTER_ID';
  if (
    request.maxWaitMs < 0 ||
    fetchOffset < 0 ||
    lastFetchedEpoch < 0 ||
    lastFetchedEpoch > currentLeaderEpoch
  )
    return 'INVALID_REQUEST';
  if (currentLeaderEpoch < q.epoch) return 'FENCED_LEADER_EPOCH';
  if (currentLeaderEpoch > q.epoch) return 'UNKNOWN_LEADER_EPOCH';
  if (q.role.kind !== 'leader') return 'NOT_LEADER_OR_FOLLOWER';
  return undefined;
}

function recordFetch(q: Quorum, leader: Leader, { replica: key, fetchOffset }: QuorumFetchRequest): void {
  const name = voterName(key);
  const known = leader.replicas.get(name);
  if (known === undefined && leader.replicas.size >= OBSERVERS_MAX) forgetSilentest(q, leader);
  const replica: Replica = known ?? { key, endOffset: NONE, lastFetchMs: NONE, lastCaughtUpMs: NONE };
  leader.replicas.set(name, replica);
  replica.endOffset = fetchOffset;
  replica.lastFetchMs = q.nowMs;
  if (fetchOffset === q.log.endOffset) replica.lastCaughtUpMs = q.nowMs;
  if (!q.voters.has(key)) return;
  leader.checkQuorumMs = majorityContactMs(q, leader) + checkQuorumMs(q);
}

/**
 * Since when a majority, this node included, has been in touch: the time of the last fetch of the voter that completes
 * it. Exact where a set of voters seen since a reset could count a contact twice as old.
 */
function majorityContactMs(q: Quorum, leader: Leader): MonotonicMs {
  const { electedAtMs, replicas } = leader;
  const others = q.voters.others(q.self);
  const contacts = others.map((voter) => replicas.get(voterName(voter))?.lastFetchMs ?? electedAtMs);
  return contacts.sort((a, b) => b - a)[q.voters.majority - 2] ?? q.nowMs;
}

function forgetSilentest(q: Quorum, leader: Leader): void {
  let silentest: Replica | undefined;
  for (const replica of leader.replicas.values()) {
    if (q.voters.has(replica.key)) continue;
    if (silentest === undefined || replica.lastFetchMs < silentest.lastFetchMs) silentest = replica;
  }
  if (silentest !== undefined) leader.replicas.delete(voterName(silentest.key));
}

export function forgetSilentObservers(q: Quorum, leader: Leader): void {
  for (const [name, replica] of leader.replicas)
    if (!q.voters.has(replica.key) && q.nowMs - replica.lastFetchMs > OBSERVER_SESSION_MS)
      leader.replicas.delete(name);
}

/** Completes every parked fetch whose time has come or that has something to be told. */
export function serveParked(q: Quorum, leader: Leader): void {
  for (const [name, parked] of leader.parked) {
    if (parked.isReading) continue;
    const { fetchOffset, highWatermark, maxBytes } = parked.request;
    const hasEntries = q.log.endOffset > fetchOffset;
    const hasNews = leader.highWatermark > highWatermark;
    if (!hasEntries && !hasNews && q.nowMs < parked.deadlineMs) continue;
    const bytesMax = Math.min(maxBytes, ENTRY_BYTES_MAX);
    const entries = q.log.readTail(fetchOffset, bytesMax);
    if (entries === undefined) {
      parked.isReading = true;
      const { callId } = parked;
      q.persistence.emit({
        kind: 'read',
        callId,
        from: fetchOffset,
        to: q.log.tailStart,
        maxBytes: bytesMax,
      });
      continue;
    }
    leader.parked.delete(name);
    answer(q, parked.callId, { ...emptyReply(q, 'NONE', leader.highWatermark), entries });
  }
}

/** Entries of the own log below the tail. A leader never cuts its log, so they are still what the replica needs. */
export function handleRead(q: Quorum, callId: number, entries: readonly Entry[]): void {
  if (q.role.kind !== 'leader') return;
  for (const [name, parked] of q.role.parked) {
    if (parked.callId !== callId || !parked.isReading) continue;
    q.role.parked.delete(name);
    answer(q, callId, { ...emptyReply(q, 'NONE', q.role.highWatermark), entries });
    return;
  }
}

/** Leadership is over: whoever waits must look for the next leader. Source: KAFKA-10677. */
export function refuseParked(q: Quorum, parked: Iterable<ParkedFetch>): void {
  for (const { callId } of parked) answer(q, callId, emptyReply(q, 'NOT_LEADER_OR_FOLLOWER', NONE));
}

function emptyReply(q: Quorum, error: ErrorCode, highWatermark: number): QuorumFetchReply {
  return { ...q.replyHeader(error), highWatermark, logStartOffset: 0, entries: [] };
}

function answer(q: Quorum, callId: number, reply: QuorumFetchReply): void {
  q.reply(callId, { kind: 'fetch', reply });
}

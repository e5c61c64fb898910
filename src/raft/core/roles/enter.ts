/**
 * How each role is entered: its data at birth and its first deadline. Only data: what follows from a role is done by its
 * `act`, which runs after every step.
 */
import { assert, type MonotonicMs, NONE, type NodeId, type QuorumEpoch } from '../../../base/index.ts';
import { encodeLeaderChange } from '../control.ts';
import { Election } from '../election.ts';
import type { VoterKey } from '../messages.ts';
import type { Quorum } from '../quorum.ts';
import type { Announcement, Candidate, FetchState, Follower, Leader, Observer, Role } from './role.ts';

/** Check-quorum: a leader that no majority fetched from for this many fetch timeouts resigns. Source: KIP-595. */
const CHECK_QUORUM_FACTOR = 1.5;

export function checkQuorumMs(q: Quorum): number {
  return CHECK_QUORUM_FACTOR * q.timeouts.fetchTimeoutMs;
}

/** Small random delays tell nodes apart that start or lose a leader together: uniform in [0, T/5). */
export function spreadMs(q: Quorum): number {
  return (q.timeouts.electionTimeoutMs / 5) * q.random.float();
}

/** Wait after a lost election: uniform below a bound that doubles from T/10 up to the configured maximum. */
export function electionBackoffMs(q: Quorum): number {
  const bound = (q.timeouts.electionTimeoutMs / 20) * 2 ** Math.min(q.electionRetries, 20);
  return Math.min(bound, q.timeouts.electionBackoffMaxMs) * q.random.float();
}

/**
 * The role at start, from what is stored. A node that led its epoch may have lost what it appended but had not synced:
 * leading on would give the same (offset, epoch) to other content. It is resigned; nobody starts as a leader or a
 * candidate. First timers are short: a pre-vote cannot harm a living leader, and a whole cluster that starts together
 * should not wait. Source: KAFKA-10527, KIP-996.
 */
export function initialRole(q: Quorum): Role {
  if (!q.isVoter) return newObserver(q, undefined);
  if (q.voters.keys.length === 1) return { kind: 'unattached', deadlineMs: q.nowMs };
  const firstMs = q.nowMs + (q.epoch === 0 ? spreadMs(q) / 4 : spreadMs(q));
  if (q.leaderId === q.self.id)
    return { kind: 'resigned', deadlineMs: firstMs, preferredCandidates: [], announcements: new Map() };
  if (q.leaderId !== NONE) return newFollower(q, firstMs + q.timeouts.electionTimeoutMs / 10);
  return { kind: 'unattached', deadlineMs: firstMs };
}

/** A higher epoch without a known leader. What remains of the own timer goes on, so that no noise can postpone it. */
export function enterUnattached(q: Quorum, epoch: QuorumEpoch, reason: string): void {
  if (q.isVoter) q.enter({ kind: 'unattached', deadlineMs: remainingDeadlineMs(q) }, { epoch }, reason);
  else q.enter(newObserver(q, undefined), { epoch }, reason);
}

function remainingDeadlineMs(q: Quorum): MonotonicMs {
  const { role } = q;
  const remains = role.kind !== 'leader' && role.deadlineMs > q.nowMs;
  return remains ? role.deadlineMs : q.nowMs + q.randomElectionTimeoutMs();
}

/** `leaderId` leads `epoch`, which is higher than the own one, or the same when no leader of it was known. */
export function enterFollower(q: Quorum, epoch: QuorumEpoch, leaderId: NodeId, reason: string): void {
  assert(leaderId !== NONE && leaderId !== q.self.id, 'a follower follows another node', { leaderId });
  const role = q.isVoter ? newFollower(q, q.nowMs + q.timeouts.fetchTimeoutMs) : newObserver(q, leaderId);
  q.enter(role, { epoch, leaderId }, reason);
}

export function enterProspective(q: Quorum, reason: string): void {
  const deadlineMs = q.nowMs + q.randomElectionTimeoutMs();
  q.enter({ kind: 'prospective', election: new Election(q.voters, q.self), deadlineMs }, {}, reason);
}

/** The pre-vote was lost: back to what this node was in this epoch. */
export function leaveProspective(q: Quorum, reason: string): void {
  q.electionRetries++;
  const { leaderId, nowMs } = q;
  if (leaderId === q.self.id) {
    const deadlineMs = nowMs + electionBackoffMs(q);
    q.enter({ kind: 'resigned', deadlineMs, preferredCandidates: [], announcements: new Map() }, {}, reason);
  } else if (leaderId !== NONE) {
    q.enter(newFollower(q, nowMs + q.timeouts.fetchTimeoutMs), {}, reason);
  } else {
    q.enter({ kind: 'unattached', deadlineMs: nowMs + electionBackoffMs(q) }, {}, reason);
  }
}

/** The next epoch, with a vote for itself. */
export function enterCandidate(q: Quorum): void {
  const deadlineMs = q.nowMs + q.randomElectionTimeoutMs();
  const role: Candidate = {
    kind: 'candidate',
    election: new Election(q.voters, q.self),
    deadlineMs,
    isHopeless: false,
  };
  q.enter(role, { epoch: q.epoch + 1, votedFor: q.self }, 'pre-vote won');
}

/** The first entry of the epoch is the leader change; nothing precedes it. Source: Raft §8, KIP-595. */
export function enterLeader(q: Quorum, granting: readonly NodeId[]): void {
  const epochStartOffset = q.log.endOffset;
  assert(epochStartOffset >= q.highWatermark, 'a leader holds every committed entry', {
    epochStartOffset,
    highWatermark: q.highWatermark,
  });
  const announcements = announceToAll(q);
  const role: Leader = {
    kind: 'leader',
    epochStartOffset,
    replicas: new Map(),
    highWatermark: NONE,
    electedAtMs: q.nowMs,
    checkQuorumMs: q.nowMs + checkQuorumMs(q),
    parked: new Map(),
    announcements,
    uncommittedSizes: [],
    uncommittedFrom: epochStartOffset,
    uncommittedBytes: 0,
  };
  q.electionRetries = 0;
  q.enter(role, { leaderId: q.self.id }, 'election won');
  const change = { leaderId: q.self.id, voters: q.voters.keys, grantingVoters: granting };
  appendAsLeader(q, role, 'control', encodeLeaderChange(change));
  q.persistence.emit({ kind: 'leading', epoch: q.epoch, epochStartOffset });
}

/** Adds an entry of the own epoch at the end of the log. */
export function appendAsLeader(
  q: Quorum,
  leader: Leader,
  kind: 'control' | 'data',
  payload: Uint8Array,
): void {
  q.log.append({ offset: q.log.endOffset, epoch: q.epoch, kind, payload });
  leader.uncommittedSizes.push(payload.length);
  leader.uncommittedBytes += payload.length;
}

/** Gives up the own epoch without going to another; successors are told, best first. Source: KIP-595 EndQuorumEpoch. */
export function enterResigned(q: Quorum, preferredCandidates: readonly VoterKey[], reason: string): void {
  const deadlineMs = q.nowMs + q.randomElectionTimeoutMs();
  const announcements = announceToAll(q);
  q.enter({ kind: 'resigned', deadlineMs, preferredCandidates, announcements }, {}, reason);
}

function announceToAll(q: Quorum): Map<NodeId, Announcement> {
  const others = q.voters.others(q.self);
  return new Map(others.map(({ id }) => [id, { requestId: undefined, notBeforeMs: q.nowMs }]));
}

function newFollower(q: Quorum, deadlineMs: MonotonicMs): Follower {
  const fetch = newFetch(q);
  return { kind: 'follower', fetch, deadlineMs, hasFetched: false, suspectsLeader: false };
}

function newObserver(q: Quorum, target: NodeId | undefined): Observer {
  const deadlineMs = q.nowMs + q.timeouts.fetchTimeoutMs;
  return { kind: 'observer', fetch: newFetch(q), deadlineMs, target };
}

function newFetch(q: Quorum): FetchState {
  return { requestId: undefined, notBeforeMs: q.nowMs };
}

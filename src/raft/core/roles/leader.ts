/**
 * Leads its epoch: appends, counts what a majority has made durable, tells voters that it leads, and gives up when it has
 * not heard from a majority.
 *
 * The high watermark rises to what a majority holds durably, and only past the start of the own epoch: an entry of an
 * earlier epoch on a majority may still be overwritten (Raft §5.4.2, figure 8). This node counts with its flushed offset
 * like any other. Source: KIP-595; Raft §5.3, §6.2 of the dissertation (check quorum).
 */
import { assert, NONE, type Offset } from '../../../base/index.ts';
import { learnFromReply } from '../learning.ts';
import { UNCOMMITTED_BYTES_MAX, UNCOMMITTED_ENTRIES_MAX } from '../limits.ts';
import type { QuorumReply, VoterKey } from '../messages.ts';
import type { Quorum } from '../quorum.ts';
import { forgetSilentObservers, serveParked } from '../serving.ts';
import { majorityOffset, sameVoter, voterName } from '../voter-set.ts';
import { findAnnouncement } from './announcing.ts';
import { enterResigned } from './enter.ts';
import type { Leader } from './role.ts';

export function actLeader(q: Quorum, leader: Leader): void {
  advanceHighWatermark(q, leader);
  if (hasLostQuorum(q, leader)) {
    resign(q, leader, 'no contact with a majority');
    return;
  }
  announce(q, leader);
  serveParked(q, leader);
  forgetSilentObservers(q, leader);
}

function advanceHighWatermark(q: Quorum, leader: Leader): void {
  const offset = majorityOffset(q.voters.keys.map((key) => durableOffset(q, leader, key)));
  if (offset <= leader.epochStartOffset || offset <= leader.highWatermark) return;
  leader.highWatermark = offset;
  while (leader.uncommittedFrom < offset) {
    leader.uncommittedBytes -= leader.uncommittedSizes.shift() ?? 0;
    leader.uncommittedFrom++;
  }
  q.commit(offset);
}

/** What `key` is known to hold durably; -1: nothing is known. */
function durableOffset(q: Quorum, leader: Leader, key: VoterKey): Offset {
  if (sameVoter(key, q.self)) return q.log.flushedOffset;
  return leader.replicas.get(voterName(key))?.endOffset ?? NONE;
}

/** A leader that is the only voter has nobody to lose (KAFKA-16144). */
function hasLostQuorum(q: Quorum, leader: Leader): boolean {
  return q.voters.keys.length > 1 && q.nowMs >= leader.checkQuorumMs;
}

/** Tells voters that have not fetched lately who leads, twice per fetch timeout. */
function announce(q: Quorum, leader: Leader): void {
  const intervalMs = q.timeouts.fetchTimeoutMs / 2;
  for (const voter of q.voters.others(q.self)) {
    const announcement = leader.announcements.get(voter.id);
    if (announcement === undefined || q.nowMs < announcement.notBeforeMs) continue;
    if (announcement.requestId !== undefined) continue;
    announcement.notBeforeMs = q.nowMs + intervalMs;
    const lastFetchMs = leader.replicas.get(voterName(voter))?.lastFetchMs ?? Number.NEGATIVE_INFINITY;
    if (q.nowMs - lastFetchMs < intervalMs) continue;
    announcement.requestId = sendBeginEpoch(q, voter);
  }
}

function sendBeginEpoch(q: Quorum, voter: VoterKey): number {
  const { clusterId, self, epoch: leaderEpoch, endpoints } = q;
  const leaderEndpoint = endpoints.get(self.id);
  assert(leaderEndpoint !== undefined, 'a voter knows where it listens', { id: self.id });
  const request = { clusterId, voter, leaderId: self.id, leaderEpoch, leaderEndpoint };
  return q.send(voter.id, { kind: 'begin-epoch', request });
}

export function handleBeginEpochReply(q: Quorum, requestId: number, reply: QuorumReply): void {
  if (learnFromReply(q, reply) === 'moved') return;
  const found = findAnnouncement(q, requestId);
  if (found !== undefined) found.announcement.requestId = undefined;
}

/** Gives up, naming the voters by how much they hold. */
export function resign(q: Quorum, leader: Leader, reason: string): void {
  const held = (key: VoterKey): Offset => durableOffset(q, leader, key);
  const successors = q.voters.others(q.self).toSorted((a, b) => held(b) - held(a));
  enterResigned(q, successors, reason);
}

/** True when the leader may not take more before some of what it has is committed. */
export function isSaturated(leader: Leader): boolean {
  return (
    leader.uncommittedSizes.length >= UNCOMMITTED_ENTRIES_MAX ||
    leader.uncommittedBytes >= UNCOMMITTED_BYTES_MAX
  );
}

/** Earliest time at which a leader has something to do. */
export function leaderDeadlineMs(q: Quorum, leader: Leader): number {
  let next = q.voters.keys.length > 1 ? leader.checkQuorumMs : Number.POSITIVE_INFINITY;
  for (const { requestId, notBeforeMs } of leader.announcements.values())
    if (requestId === undefined) next = Math.min(next, notBeforeMs);
  for (const { deadlineMs, isReading } of leader.parked.values())
    if (!isReading) next = Math.min(next, deadlineMs);
  return next;
}

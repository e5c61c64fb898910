import { learnFromReply } from '../learning.ts';
import type { QuorumReply } from '../messages.ts';
import type { Quorum } from '../quorum.ts';
import { findAnnouncement } from './announcing.ts';
import { enterProspective } from './enter.ts';
import type { Resigned } from './role.ts';

/**
 * Led this epoch and gives it up: tells the voters until each has heard, grants no vote in it, and seeks the next one
 * only when nobody else did within an election timeout. Source: KIP-595 EndQuorumEpoch, Kafka's ResignedState.
 */
export function actResigned(q: Quorum, role: Resigned): void {
  if (q.nowMs >= role.deadlineMs && !q.isShuttingDown) {
    enterProspective(q, 'no successor');
    return;
  }
  for (const [id, announcement] of role.announcements) {
    if (announcement.requestId !== undefined || q.nowMs < announcement.notBeforeMs) continue;
    const { clusterId, self, epoch: leaderEpoch } = q;
    const { preferredCandidates } = role;
    const request = { clusterId, leaderId: self.id, leaderEpoch, preferredCandidates };
    announcement.requestId = q.send(id, { kind: 'end-epoch', request });
  }
}

export function handleEndEpochReply(q: Quorum, requestId: number, reply: QuorumReply): void {
  if (learnFromReply(q, reply) === 'moved') return;
  const found = findAnnouncement(q, requestId);
  if (found !== undefined && q.role.kind === 'resigned') q.role.announcements.delete(found.id);
}

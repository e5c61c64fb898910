import type { NodeId } from '../../../base/index.ts';
import type { Quorum } from '../quorum.ts';
import type { Announcement } from './role.ts';

/** The announcement that `requestId` carried; undefined when it belongs to an earlier role. */
export function findAnnouncement(
  q: Quorum,
  requestId: number,
): { readonly id: NodeId; readonly announcement: Announcement } | undefined {
  if (q.role.kind !== 'leader' && q.role.kind !== 'resigned') return undefined;
  for (const [id, announcement] of q.role.announcements)
    if (announcement.requestId === requestId) return { id, announcement };
  return undefined;
}

/** No answer came: announce again after the backoff, for as long as the role lasts. */
export function handleAnnouncementFailed(q: Quorum, requestId: number): void {
  const found = findAnnouncement(q, requestId);
  if (found === undefined) return;
  found.announcement.requestId = undefined;
  found.announcement.notBeforeMs = Math.max(
    found.announcement.notBeforeMs,
    q.nowMs + 4 * q.timeouts.retryBackoffMs,
  );
}

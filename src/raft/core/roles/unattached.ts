import type { Quorum } from '../quorum.ts';
import { enterProspective } from './enter.ts';
import type { Unattached } from './role.ts';

/** Knows its epoch but no leader it could fetch from: waits for one, or for its election timer. */
export function actUnattached(q: Quorum, role: Unattached): void {
  if (q.nowMs < role.deadlineMs || q.isShuttingDown) return;
  enterProspective(q, 'election timeout');
}

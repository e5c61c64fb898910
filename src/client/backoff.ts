import type { Random } from '../base/index.ts';

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Each wait is this many times the last. */
  readonly factor: number;
}

/** Part of a wait that chance decides, so that clients that failed together do not come back together. */
const JITTER = 0.2;

/** Wait before attempt `failures` + 1; 0 failures: none. Source: KIP-580. */
export function backoffMs(failures: number, backoff: Backoff, random: Random): number {
  if (failures <= 0) return 0;
  const exact = Math.min(backoff.maxMs, backoff.firstMs * backoff.factor ** (failures - 1));
  return exact * (1 - JITTER + 2 * JITTER * random.float());
}

/**
 * Pause between two looks for a new leader. It grows by a fifth, so that a look is late by at most about a
 * fifth of the time the partition had no leader: doubling would be late by as much again.
 */
export const LEADER_SEARCH_BACKOFF: Backoff = { firstMs: 25, maxMs: 1000, factor: 1.2 };

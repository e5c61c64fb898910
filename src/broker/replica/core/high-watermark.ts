/**
 * How far a leader may move its high watermark.
 *
 * candidate = min of what the leader and every counted replica vouch for, where counted is
 *   - every member of the maximal in-sync set (KIP-497), known or not: an unknown offset blocks, and
 *   - every replica outside it that is caught up and may join: else it would chase the high watermark for ever under
 *     constant load (KAFKA-4485); one that may not join does not hold it (KAFKA-15021).
 * Nothing moves while the committed in-sync set is below min.insync.replicas (KAFKA-15583), and nothing ever moves back.
 */
import type { MonotonicMs, Offset } from '../../../base/index.ts';
import { type BrokerLookup, isEligible } from './eligibility.ts';
import type { PartitionState } from './partition-state.ts';

/** The leader's own log, at one moment. */
export interface LocalOffsets {
  readonly endOffset: Offset;
  /** What this broker vouches for: flushed, or with write.caching handed to the operating system. */
  readonly ackedOffset: Offset;
  readonly highWatermark: Offset;
}

/** The new high watermark, or undefined when it stays. */
export function decideHighWatermark(
  state: PartitionState,
  local: LocalOffsets,
  brokers: BrokerLookup,
  nowMs: MonotonicMs,
): Offset | undefined {
  if (!state.isLeader || state.isr.isr.length < state.effectiveMinIsr) return undefined;
  const { lagMaxMs } = state.policy;
  let candidate = local.ackedOffset;
  for (const [id, progress] of state.followers) {
    if (candidate <= local.highWatermark) return undefined;
    const acked = progress.ackedOffset;
    if (acked >= candidate) continue;
    const counts =
      state.isr.maximal.includes(id) ||
      (progress.isCaughtUp(local.endOffset, nowMs, lagMaxMs) && isEligible(id, progress, brokers));
    if (counts) candidate = acked;
  }
  return candidate > local.highWatermark ? candidate : undefined;
}

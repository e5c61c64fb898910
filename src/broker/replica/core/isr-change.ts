/**
 * Changes of the in-sync set: when the leader asks for one, and what it believes after the answer.
 *
 * Joining asks for the acknowledged (durable) offset, not the log end: a member may be elected, so it must be able to lose
 * power and still hold everything below the high watermark. It must also reach the leader's epoch start, since a new
 * leader's own high watermark may be lower than what its predecessor committed. And it has to begin where the leader's log
 * does: elected with an older log start it would show records again whose deletion was acknowledged while it was away.
 * An answer that does not prove the change absent leaves it pending: reverting an expansion that was applied would let
 * the high watermark outrun a set the controller may elect from. Source: KIP-497; Kafka's Partition.scala.
 */
import {
  assert,
  type ErrorCode,
  type MonotonicMs,
  NONE,
  type NodeId,
  type Offset,
} from '../../../base/index.ts';
import type { AlteredPartition, AlterPartition } from '../../../rpc/api/index.ts';
import { type BrokerLookup, isEligible } from './eligibility.ts';
import { type IsrState, pendingExpand, pendingShrink } from './isr.ts';
import type { PartitionState } from './partition-state.ts';

/** The expansion by `id` to ask for, or undefined when it may not or need not join now. */
export function decideExpand(
  state: PartitionState,
  id: NodeId,
  log: { readonly highWatermark: Offset; readonly logStartOffset: Offset },
  brokers: BrokerLookup,
): IsrState | undefined {
  if (!state.isLeader || state.isr.kind !== 'committed' || state.isr.isr.includes(id)) return undefined;
  const progress = state.followers.get(id);
  if (progress === undefined) return undefined;
  const acked = progress.ackedOffset;
  if (acked < log.highWatermark || acked < state.epochStartOffset) return undefined;
  if (progress.logStartOffset < log.logStartOffset) return undefined;
  return isEligible(id, progress, brokers) ? pendingExpand(state.isr.isr, id) : undefined;
}

/** The shrink to ask for: every member that has been behind for longer than replica.lag.time.max.ms. */
export function decideShrink(
  state: PartitionState,
  endOffset: Offset,
  nowMs: MonotonicMs,
): IsrState | undefined {
  if (!state.isLeader || state.isr.kind !== 'committed') return undefined;
  const { lagMaxMs } = state.policy;
  const leaving = state.isr.isr.filter((id) => {
    const progress = state.followers.get(id);
    return progress !== undefined && !progress.isCaughtUp(endOffset, nowMs, lagMaxMs);
  });
  return leaving.length === 0 ? undefined : pendingShrink(state.isr.isr, leaving);
}

/** The request for the pending change of `state`; members carry the broker epoch of their last fetch. */
export function toAlterPartition(
  state: PartitionState,
  identity: Pick<AlterPartition, 'topicId' | 'partition'>,
  brokerEpoch: number,
): AlterPartition {
  assert(state.isr.kind !== 'committed', 'there is a change to ask for');
  return {
    topicId: identity.topicId,
    partition: identity.partition,
    leaderEpoch: state.leaderEpoch,
    partitionEpoch: state.partitionEpoch,
    newIsr: state.isr.proposed.map((id) => ({
      brokerId: id,
      brokerEpoch: id === state.nodeId ? brokerEpoch : (state.followers.get(id)?.brokerEpoch ?? NONE),
    })),
    leaderRecoveryState: 'recovered',
  };
}

/** `stale`: about something that is over. `waiting`: stays pending until metadata tells. */
export type AlterOutcome = 'stale' | 'committed' | 'reverted' | 'waiting' | 'retry';

const PROVES_NOT_APPLIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['INELIGIBLE_REPLICA']);
const METADATA_WILL_TELL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'INVALID_UPDATE_VERSION',
  'INVALID_REQUEST',
  'NEW_LEADER_ELECTED',
]);

/** Applies the controller's answer to the change `sent`, which is the state object that was asked for. */
export function replayAlterReply(
  state: PartitionState,
  sent: IsrState,
  reply: AlteredPartition,
): AlterOutcome {
  if (state.isr !== sent || !state.isLeader) return 'stale';
  if (reply.error === 'NONE') {
    if (reply.leaderEpoch !== state.leaderEpoch || reply.partitionEpoch < state.partitionEpoch)
      return 'stale';
    state.commitIsr(reply.isr, reply.partitionEpoch);
    return 'committed';
  }
  if (PROVES_NOT_APPLIED.has(reply.error)) {
    state.revertIsrChange();
    return 'reverted';
  }
  return METADATA_WILL_TELL.has(reply.error) ? 'waiting' : 'retry';
}

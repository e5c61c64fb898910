/**
 * Is a follower's fetch to be believed, and do the logs agree up to it?
 *
 * The party that knows better compares: leader epoch first, then leadership, then the assignment, then the incarnation of
 * the fetching broker (KAFKA-15221). Only a fetch whose last epoch and offset lie on the leader's own history says
 * anything about what the follower holds; a diverging one changes nothing (KIP-320, KAFKA-13141).
 */
import type { BrokerEpoch, ErrorName, LeaderEpoch, NodeId, Offset } from '../../../base/index.ts';
import { NONE } from '../../../base/index.ts';
import type { BrokerLookup } from './eligibility.ts';
import type { PartitionState } from './partition-state.ts';

/** End of an epoch: one past its last record, or where the next epoch starts. */
export interface EpochEnd {
  readonly epoch: LeaderEpoch;
  readonly endOffset: Offset;
}

/** The error for a request that believes in `epoch` (-1: no belief) and needs the leader; undefined: go on. */
export function leaderEpochProblem(state: PartitionState, epoch: LeaderEpoch): ErrorName | undefined {
  if (epoch !== NONE && epoch < state.leaderEpoch) return 'FENCED_LEADER_EPOCH';
  if (epoch > state.leaderEpoch) return 'UNKNOWN_LEADER_EPOCH';
  return state.isLeader ? undefined : 'NOT_LEADER_OR_FOLLOWER';
}

/** The error for a replica fetch, or undefined when its sender may be believed. */
export function followerFetchProblem(
  state: PartitionState,
  from: { readonly brokerId: NodeId; readonly brokerEpoch: BrokerEpoch },
  leaderEpoch: LeaderEpoch,
  brokers: BrokerLookup,
): ErrorName | undefined {
  const problem = leaderEpochProblem(state, leaderEpoch);
  if (problem !== undefined) return problem;
  const progress = state.followers.get(from.brokerId);
  // The assignment may have reached the follower first: it asks again.
  if (progress === undefined) return 'UNKNOWN_LEADER_EPOCH';
  const known = Math.max(brokers(from.brokerId)?.epoch ?? NONE, progress.brokerEpoch);
  return from.brokerEpoch < known ? 'NOT_LEADER_OR_FOLLOWER' : undefined;
}

/** The leader's log, as far as the comparison needs it. */
export interface LeaderHistory {
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd | undefined;
}

export type Agreement =
  | { readonly kind: 'agrees' }
  | { readonly kind: 'out-of-range' }
  | { readonly kind: 'diverges'; readonly end: EpochEnd };

const AGREES: Agreement = { kind: 'agrees' };
const OUT_OF_RANGE: Agreement = { kind: 'out-of-range' };

/** Compares a follower's end (`fetchOffset`, epoch of its last batch, -1 for an empty log) with the leader's history. */
export function decideAgreement(
  log: LeaderHistory,
  fetchOffset: Offset,
  lastFetchedEpoch: LeaderEpoch,
): Agreement {
  if (fetchOffset < log.logStartOffset) return OUT_OF_RANGE;
  if (lastFetchedEpoch === NONE) return fetchOffset > log.logEndOffset ? OUT_OF_RANGE : AGREES;
  const end = log.endOffsetForEpoch(lastFetchedEpoch);
  if (end === undefined) return OUT_OF_RANGE;
  if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return { kind: 'diverges', end };
  return AGREES;
}

/**
 * Where a follower with `endOffset` cuts its log after the leader said where the leader's part of an epoch ends. What is
 * left may still diverge, then the next fetch says so with a lower epoch: each round lowers the epoch or the end.
 * `mine` is the follower's own end of that epoch, or of the largest below it; undefined: it knows none.
 * Source: KIP-101, KIP-279.
 */
export function decideTruncation(leader: EpochEnd, mine: EpochEnd | undefined, endOffset: Offset): Offset {
  if (mine === undefined) return Math.min(leader.endOffset, endOffset);
  if (mine.epoch !== leader.epoch) return Math.min(mine.endOffset, endOffset);
  return Math.min(mine.endOffset, leader.endOffset, endOffset);
}

import type { NodeId } from '../../../../src/base/index.ts';
import type { BrokerLookup, BrokerView } from '../../../../src/broker/replica/core/eligibility.ts';
import type { FollowerReport } from '../../../../src/broker/replica/core/follower-progress.ts';
import {
  type PartitionAssignment,
  PartitionState,
  type ReplicationPolicy,
} from '../../../../src/broker/replica/core/partition-state.ts';

export const POLICY: ReplicationPolicy = { minIsr: 1, writeCaching: false, lagMaxMs: 10_000 };

/** Broker epochs are 100 + id. */
export const epochOf = (id: NodeId): number => 100 + id;

export function brokers(overrides: Record<number, Partial<BrokerView> | undefined> = {}): BrokerLookup {
  return (id) => {
    if (id in overrides && overrides[id] === undefined) return undefined;
    return { epoch: epochOf(id), fenced: false, inControlledShutdown: false, ...overrides[id] };
  };
}

export function assignment(overrides: Partial<PartitionAssignment> = {}): PartitionAssignment {
  return {
    replicas: [1, 2, 3],
    isr: [1, 2, 3],
    leader: 1,
    leaderEpoch: 5,
    partitionEpoch: 10,
    ...overrides,
  };
}

/** Broker 1 leading since offset `endOffset`. */
export function leader(
  overrides: Partial<PartitionAssignment> = {},
  policy: Partial<ReplicationPolicy> = {},
  endOffset = 0,
  nowMs = 0,
): PartitionState {
  const state = new PartitionState(1, { ...POLICY, ...policy });
  state.makeLeader(assignment(overrides), endOffset, nowMs);
  return state;
}

export function report(id: NodeId, endOffset: number, flushedOffset = endOffset): FollowerReport {
  return { endOffset, flushedOffset, logStartOffset: 0, brokerEpoch: epochOf(id), isFetch: true };
}

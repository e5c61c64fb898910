/** Why a partition has too few in-sync replicas, in words for whoever sent the record. */
import type { NodeId, Offset } from '../../../base/index.ts';
import type { BrokerLookup } from './eligibility.ts';
import { UNKNOWN_OFFSET } from './follower-progress.ts';
import type { PartitionState } from './partition-state.ts';

/**
 * One sentence: how many of how many, why each missing replica is missing as far as known here, and what helps.
 * `name` is the topic-partition.
 */
export function describeUnderMinIsr(
  name: string,
  state: PartitionState,
  endOffset: Offset,
  brokers: BrokerLookup,
): string {
  const present = state.isr.isr.length;
  const missing = state.replicas.filter((id) => !state.isr.isr.includes(id));
  const reasons = missing.map((id) => `broker ${id} ${missingText(id, state, endOffset, brokers)}`);
  const stopped = missing.filter((id) => isStopped(id, brokers));
  const replicas = present === 1 ? 'replica' : 'replicas';
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  return `${name} has ${present} in-sync ${replicas} of ${state.effectiveMinIsr} required${why}; ${adviceText(stopped)}`;
}

function isStopped(id: NodeId, brokers: BrokerLookup): boolean {
  const broker = brokers(id);
  return broker === undefined || broker.fenced;
}

function missingText(id: NodeId, state: PartitionState, endOffset: Offset, brokers: BrokerLookup): string {
  const broker = brokers(id);
  if (broker === undefined) return 'not registered';
  if (broker.fenced) return 'fenced';
  if (broker.inControlledShutdown) return 'shutting down';
  const acked = state.followers.get(id)?.ackedOffset ?? UNKNOWN_OFFSET;
  if (acked === UNKNOWN_OFFSET) return 'has not fetched yet';
  const lag = Math.max(0, endOffset - acked);
  return lag === 0 ? 'is about to join' : `lags by ${groupedText(lag)} ${lag === 1 ? 'record' : 'records'}`;
}

function adviceText(stopped: readonly NodeId[]): string {
  if (stopped.length === 0) return 'wait for the others to catch up or lower min.insync.replicas';
  const brokers = stopped.length === 1 ? 'broker' : 'brokers';
  return `start ${brokers} ${stopped.join(' and ')} or lower min.insync.replicas`;
}

function groupedText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

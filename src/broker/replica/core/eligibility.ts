/** Who may be in the in-sync set, as far as this broker's metadata knows; the controller checks again. */
import { type BrokerEpoch, NONE, type NodeId } from '../../../base/index.ts';
import type { FollowerProgress } from './follower-progress.ts';

export interface BrokerView {
  readonly epoch: BrokerEpoch;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
}

export type BrokerLookup = (id: NodeId) => BrokerView | undefined;

/**
 * Registered, neither fenced nor shutting down (KIP-841), and the incarnation that fetched is the one registered: one
 * that restarted may have lost what its predecessor acknowledged (KIP-903).
 */
export function isEligible(id: NodeId, progress: FollowerProgress, brokers: BrokerLookup): boolean {
  const broker = brokers(id);
  if (broker === undefined || broker.fenced || broker.inControlledShutdown) return false;
  return progress.brokerEpoch !== NONE && progress.brokerEpoch === broker.epoch;
}

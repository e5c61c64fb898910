/**
 * Registered brokers. A registration stays, fenced, until it is unregistered or replaced by the next incarnation.
 *
 * Broker epochs only rise: a change that names another epoch than the registered one was decided about another
 * incarnation. Source: KIP-631.
 */
import { Map as ImmutableMap } from 'immutable';
import type { BrokerEpoch, NodeId, Uuid } from '../../base/index.ts';
import type { BrokerListener } from '../../rpc/api/index.ts';
import type {
  BrokerRegistrationChangeRecord,
  FeatureRange,
  MetadataRecord,
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
} from '../records/records.ts';
import { ReplayError } from './errors.ts';

export interface BrokerRegistration {
  readonly id: NodeId;
  /** Metadata offset of the first registration of this incarnation. */
  readonly epoch: BrokerEpoch;
  readonly incarnationId: Uuid;
  readonly listeners: readonly BrokerListener[];
  readonly rack?: string;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly logDirs: readonly Uuid[];
  readonly features: readonly FeatureRange[];
}

export interface ClusterImage {
  readonly brokers: ImmutableMap<NodeId, BrokerRegistration>;
}

export const EMPTY_CLUSTER: ClusterImage = { brokers: ImmutableMap() };

/** True when the broker may lead and be in sync: registered, unfenced, not shutting down. */
export function isActiveBroker(cluster: ClusterImage, id: NodeId): boolean {
  const broker = cluster.brokers.get(id);
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

export function replayRegisterBroker(cluster: ClusterImage, record: RegisterBrokerRecord): ClusterImage {
  const old = cluster.brokers.get(record.brokerId);
  if (old !== undefined && record.brokerEpoch < old.epoch)
    throw new ReplayError(
      `broker ${record.brokerId} registers with epoch ${record.brokerEpoch} below its epoch ${old.epoch}`,
    );
  const { kind: _, brokerId: id, brokerEpoch: epoch, ...rest } = record;
  return { brokers: cluster.brokers.set(id, { id, epoch, ...rest }) };
}

export function replayUnregisterBroker(cluster: ClusterImage, record: UnregisterBrokerRecord): ClusterImage {
  registeredBroker(cluster, record);
  return { brokers: cluster.brokers.delete(record.brokerId) };
}

export function replayBrokerChange(
  cluster: ClusterImage,
  record: BrokerRegistrationChangeRecord,
): ClusterImage {
  const old = registeredBroker(cluster, record);
  const next: BrokerRegistration = {
    ...old,
    fenced: record.fenced === 'none' ? old.fenced : record.fenced === 'fence',
    inControlledShutdown: old.inControlledShutdown || record.inControlledShutdown !== 'none',
    logDirs: record.logDirs ?? old.logDirs,
  };
  return { brokers: cluster.brokers.set(old.id, next) };
}

/** By id. */
export function clusterRecords(cluster: ClusterImage): MetadataRecord[] {
  return [...cluster.brokers.values()]
    .sort((a, b) => a.id - b.id)
    .map(({ id, epoch, ...rest }) => ({
      kind: 'register-broker',
      brokerId: id,
      brokerEpoch: epoch,
      ...rest,
    }));
}

function registeredBroker(
  cluster: ClusterImage,
  record: UnregisterBrokerRecord | BrokerRegistrationChangeRecord,
): BrokerRegistration {
  const broker = cluster.brokers.get(record.brokerId);
  if (broker === undefined)
    throw new ReplayError(`${record.kind} of broker ${record.brokerId}, not registered`);
  if (broker.epoch !== record.brokerEpoch)
    throw new ReplayError(
      `${record.kind} of broker ${record.brokerId} with epoch ${record.brokerEpoch}; registered is ${broker.epoch}`,
    );
  return broker;
}

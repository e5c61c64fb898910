/**
 * A broker starts, or stops belonging to the cluster for good.
 *
 * The broker epoch is the offset of the entry that registers an incarnation: unique, and larger than any before. The same
 * incarnation may ask again, its reply may have been lost: it keeps its epoch and its state. Another incarnation is let in
 * when the registered one is certainly gone or cannot be known to be there; it starts fenced, and out of every in-sync
 * set it was in. Source: KIP-631, Kafka's ClusterControlManager.
 */
import type { NodeId, Uuid } from '../../base/index.ts';
import { accept, acceptEach, refuse } from '../../machine/index.ts';
import type { RegisterBrokerReply, RegisterBrokerRequest } from '../../rpc/api/index.ts';
import type { BrokerRegistration } from '../image/cluster.ts';
import { isReservedDirectory } from '../image/directories.ts';
import { METADATA_VERSION } from '../image/features.ts';
import type { MetadataImage } from '../image/image.ts';
import type { MetadataRecord, RegisterBrokerRecord } from '../records/records.ts';
import { BROKERS_MAX } from './config.ts';
import type { DecideContext, MetadataDecision } from './context.ts';
import { recordsForLeaving, recordsForLostDirectories } from './leadership.ts';

export function decideRegisterBroker(
  image: MetadataImage,
  request: RegisterBrokerRequest,
  context: DecideContext,
): MetadataDecision<RegisterBrokerReply> {
  const { clusterId } = context;
  const { brokerId, incarnationId } = request;
  if (request.clusterId !== clusterId)
    return refuse('INCONSISTENT_CLUSTER_ID', `this is cluster ${clusterId}, not ${request.clusterId}`);
  const old = image.cluster.brokers.get(brokerId);
  const isSameIncarnation = old?.incarnationId === incarnationId;
  if (old !== undefined && !isSameIncarnation && !old.fenced) {
    if (context.sessions.isConnected(brokerId, context.nowMs))
      return refuse(
        'DUPLICATE_BROKER_REGISTRATION',
        `broker ${brokerId} is alive in another process (epoch ${old.epoch}); give this one another node.id`,
      );
  }
  const problem = registrationProblem(image, request);
  if (problem !== undefined) return refuse('INVALID_REGISTRATION', problem);
  const featureProblem = unsupportedFeature(image, request);
  if (featureProblem !== undefined) return refuse('UNSUPPORTED_VERSION', featureProblem);

  if (isSameIncarnation) {
    const lost = new Set(old.logDirs.filter((id) => !request.logDirs.includes(id)));
    const { staticConfig } = context.config;
    const moved = lost.size === 0 ? [] : recordsForLostDirectories(image, brokerId, lost, staticConfig);
    return accept([...moved, registration(request, old)], { brokerEpoch: old.epoch });
  }
  const cleanUp = old === undefined ? [] : recordsForLeaving(image, brokerId, context.config.staticConfig);
  // A plain number in between: one offset, and only this one, becomes an epoch.
  const brokerEpoch: number = context.nextOffset;
  const state = { epoch: brokerEpoch, fenced: true, inControlledShutdown: false };
  const records: MetadataRecord[] = [...cleanUp, registration(request, state)];
  return accept(records, { brokerEpoch });
}

/** Removes the broker from every in-sync set where another member stays, then its registration. */
export function decideUnregisterBroker(
  image: MetadataImage,
  brokerId: NodeId,
  { config }: DecideContext,
): MetadataDecision<Record<never, never>> {
  const broker = image.cluster.brokers.get(brokerId);
  if (broker === undefined) return refuse('BROKER_ID_NOT_REGISTERED', `broker ${brokerId} is not registered`);
  const records = recordsForLeaving(image, brokerId, config.staticConfig);
  return acceptEach([...records, { kind: 'unregister-broker', brokerId, brokerEpoch: broker.epoch }], {});
}

function registration(
  request: RegisterBrokerRequest,
  {
    epoch,
    fenced,
    inControlledShutdown,
  }: Pick<BrokerRegistration, 'epoch' | 'fenced' | 'inControlledShutdown'>,
): RegisterBrokerRecord {
  return {
    kind: 'register-broker',
    brokerId: request.brokerId,
    incarnationId: request.incarnationId,
    brokerEpoch: epoch,
    listeners: request.listeners,
    features: request.features,
    ...(request.rack === undefined ? {} : { rack: request.rack }),
    fenced,
    inControlledShutdown,
    logDirs: request.logDirs,
  };
}

function registrationProblem(image: MetadataImage, request: RegisterBrokerRequest): string | undefined {
  const { brokerId, logDirs, listeners } = request;
  if (!Number.isSafeInteger(brokerId) || brokerId < 0) return `broker id ${brokerId} is not 0 or more`;
  if (!image.cluster.brokers.has(brokerId) && image.cluster.brokers.size >= BROKERS_MAX)
    return `${BROKERS_MAX} brokers are registered already, which is the limit`;
  if (new Set(listeners.map(({ name }) => name)).size < listeners.length) return 'a listener is named twice';
  for (const name of ['client', 'replica'] as const)
    if (!listeners.some((listener) => listener.name === name)) return `the ${name} listener is missing`;
  if (logDirs.length === 0) return 'no log directory is named';
  if (new Set(logDirs).size < logDirs.length) return 'a log directory is named twice';
  const reserved = logDirs.find(isReservedDirectory);
  if (reserved !== undefined) return `${reserved} is no id of a log directory`;
  return foreignDirectory(image, brokerId, logDirs);
}

function foreignDirectory(
  image: MetadataImage,
  brokerId: NodeId,
  logDirs: readonly Uuid[],
): string | undefined {
  for (const other of image.cluster.brokers.values()) {
    const shared = other.id === brokerId ? undefined : logDirs.find((id) => other.logDirs.includes(id));
    if (shared !== undefined) return `log directory ${shared} belongs to broker ${other.id}; was it copied?`;
  }
  return undefined;
}

/** A broker that names no range for a feature does not know it; one that names no metadata.version knows the first. */
function unsupportedFeature(image: MetadataImage, request: RegisterBrokerRequest): string | undefined {
  for (const [name, level] of image.features) {
    const first = name === METADATA_VERSION.name ? METADATA_VERSION.min : 0;
    const { min, max } = request.features.find((range) => range.name === name) ?? { min: first, max: first };
    if (level < min || level > max)
      return `the cluster uses ${name} ${level}; broker ${request.brokerId} supports ${min} to ${max}`;
  }
  return undefined;
}

/**
 * Who leads a partition, as an image shows it. A leader that is fenced is no leader for a client.
 */
import type { NodeId, PartitionId } from '../../base/index.ts';
import type { MetadataImage } from '../../metadata/index.ts';
import type { Address, BrokerListener, CurrentLeader } from '../../rpc/api/index.ts';
import { whyLeaderless } from './leaderless.ts';

export type PartitionPlace =
  | { readonly kind: 'unknown-topic' }
  | { readonly kind: 'unknown-partition'; readonly count: number }
  /** `leaderId` -1: none; otherwise a broker that is fenced. `why` is for people. */
  | { readonly kind: 'no-leader'; readonly leaderId: NodeId; readonly why: string }
  | { readonly kind: 'led'; readonly leader: CurrentLeader & { readonly address: Address } };

export function placeOf(image: MetadataImage, topic: string, partition: PartitionId): PartitionPlace {
  const known = image.topics.find(topic);
  if (known === undefined) return { kind: 'unknown-topic' };
  const registration = known.partitions[partition];
  if (registration === undefined) return { kind: 'unknown-partition', count: known.partitions.length };
  const { leader: leaderId, leaderEpoch } = registration;
  const broker = image.cluster.brokers.get(leaderId);
  const address = listenerOf(image, leaderId, 'client');
  if (broker === undefined || broker.fenced || address === undefined)
    return { kind: 'no-leader', leaderId, why: whyLeaderless(image, `${topic}-${partition}`, registration) };
  return { kind: 'led', leader: { nodeId: leaderId, leaderEpoch, address } };
}

export function listenerOf(
  image: MetadataImage,
  nodeId: NodeId,
  name: BrokerListener['name'],
): Address | undefined {
  const listener = image.cluster.brokers.get(nodeId)?.listeners.find((one) => one.name === name);
  return listener === undefined ? undefined : { host: listener.host, port: listener.port };
}

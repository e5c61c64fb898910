/** A request names the incarnation it comes from; only the registered one may act. */
import type { BrokerEpoch, NodeId } from '../../base/index.ts';
import type { BrokerRegistration } from '../image/cluster.ts';
import type { MetadataImage } from '../image/image.ts';

/** The registration of exactly this incarnation. */
export function findIncarnation(
  image: MetadataImage,
  brokerId: NodeId,
  brokerEpoch: BrokerEpoch,
): BrokerRegistration | undefined {
  const broker = image.cluster.brokers.get(brokerId);
  return broker?.epoch === brokerEpoch ? broker : undefined;
}

/** Why there is none, with the numbers. */
export function staleEpochMessage(image: MetadataImage, brokerId: NodeId, brokerEpoch: BrokerEpoch): string {
  const broker = image.cluster.brokers.get(brokerId);
  return broker === undefined
    ? `broker ${brokerId} is not registered; register first`
    : `broker ${brokerId} is registered with epoch ${broker.epoch}, not ${brokerEpoch}; register again`;
}

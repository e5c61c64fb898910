/** Why nobody leads a partition, for a client and the person behind it: which broker to start, or whose log to look after. */
import type { NodeId } from '../../base/index.ts';
import { isDirectoryOnline, type MetadataImage, type PartitionRegistration } from '../../metadata/index.ts';

export function isBrokerAway(image: MetadataImage, id: NodeId): boolean {
  return image.cluster.brokers.get(id)?.fenced !== false;
}

/** Its broker is away, or its directory or log has failed. */
export function isReplicaOffline(
  image: MetadataImage,
  registration: PartitionRegistration,
  id: NodeId,
): boolean {
  return isBrokerAway(image, id) || !isDirectoryOnline(image.cluster, registration, id);
}

/** `label` names the partition. */
export function whyLeaderless(
  image: MetadataImage,
  label: string,
  registration: PartitionRegistration,
): string {
  const { replicas, isr } = registration;
  if (!isr.every((id) => isReplicaOffline(image, registration, id)))
    return `${label} has no leader now; one of its in-sync replicas is being elected`;
  const had = `${label} has no leader: of its replicas ${replicas.join(', ')} only ${isr.join(', ')} had all records`;
  const damaged = isr.filter((id) => !isBrokerAway(image, id));
  if (damaged.length > 0) {
    const on = damaged.join(' and ');
    return `${had}, and its log on broker ${on} is offline; see the log of that broker for the way out`;
  }
  return `${had}, and none of these is alive; start broker ${isr.join(' or ')}`;
}

/** The cluster as one image shows it: brokers with what they lead and hold, controllers with who is active. */
import type { NodeId } from '../../base/index.ts';
import type { MetadataImage } from '../../metadata/index.ts';
import type { DescribeClusterReply, DescribedBroker, DescribedController } from '../../rpc/api/index.ts';
import { listenerOf } from '../metadata-cache/partition-place.ts';

/** By id; a broker without a client listener is shown at port 0. */
export function describeBrokersOf(image: MetadataImage): DescribedBroker[] {
  const leaders = new Map<NodeId, number>();
  const replicas = new Map<NodeId, number>();
  for (const topic of image.topics.byName.values()) {
    for (const partition of topic.partitions) {
      count(leaders, partition.leader);
      for (const id of partition.replicas) count(replicas, id);
    }
  }
  return [...image.cluster.brokers.values()]
    .map(({ id, rack, fenced, inControlledShutdown }) => ({
      nodeId: id,
      address: listenerOf(image, id, 'client') ?? { host: '', port: 0 },
      ...(rack === undefined ? {} : { rack }),
      fenced,
      inControlledShutdown,
      leaders: leaders.get(id) ?? 0,
      replicas: replicas.get(id) ?? 0,
    }))
    .sort((a, b) => a.nodeId - b.nodeId);
}

export function describeCluster(
  image: MetadataImage,
  known: Pick<DescribeClusterReply, 'clusterId' | 'controllerId' | 'digest'>,
  controllers: readonly Omit<DescribedController, 'active'>[],
): DescribeClusterReply {
  return {
    ...known,
    brokers: describeBrokersOf(image),
    controllers: controllers.map((one) => ({ ...one, active: one.nodeId === known.controllerId })),
  };
}

function count(counts: Map<NodeId, number>, id: NodeId): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}

/** Who follows whom in a cluster whose partitions have leaders. */
import type { TopicPartition } from '../../../base/index.ts';
import type { ReplicaView } from '../../../broker/index.ts';
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

/** A follower of a partition and its leader. */
export interface Following {
  readonly place: TopicPartition;
  readonly leader: Machine;
  readonly follower: Machine;
  /** Of the partition. */
  readonly replicaCount: number;
}

/** Of the topics that keep what is not deleted. */
export function partitionsOf({ options }: SimWorld): TopicPartition[] {
  return options.topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
}

/** All of them, in the order of {@link partitionsOf}. */
export function followingsOf(world: SimWorld): Following[] {
  return partitionsOf(world).flatMap((place) => {
    const leader = world.leaderOf(place.topic, place.partition);
    const replicas = world.findLeading(place.topic, place.partition)?.state.replicas ?? [];
    if (leader === undefined) return [];
    return replicas
      .filter((id) => id !== leader.plan.id)
      .map((id) => ({ place, leader, follower: world.machine(id), replicaCount: replicas.length }));
  });
}

/** Those of a partition that are open on `machines`. */
export function replicasOn(
  machines: readonly Machine[],
  { topic, partition }: TopicPartition,
): ReplicaView[] {
  return machines.flatMap(({ node }) =>
    [...(node?.broker?.replicas() ?? [])].filter(
      (replica) => replica.topic === topic && replica.partition === partition,
    ),
  );
}

/** A broker that has replicas, none of which is the only one in sync. */
export function findDispensable(world: SimWorld): Machine | undefined {
  const image = world.activeController()?.node?.controller?.image();
  const partitions = [...(image?.topics.byName.values() ?? [])].flatMap((topic) => topic.partitions);
  return world.brokers.find(({ plan: { id } }) => {
    const own = partitions.filter(({ replicas }) => replicas.includes(id));
    return own.length > 0 && own.every(({ isr }) => isr.some((other) => other !== id));
  });
}

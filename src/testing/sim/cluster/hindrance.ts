/** What keeps a follower of a healthy cluster from keeping up, while the controllers hear of everybody as ever. */
import { type NodeId, SeededRandom, type TopicPartition } from '../../../base/index.ts';
import { oneOf } from './faults/index.ts';
import { followingsOf, partitionsOf } from './followings.ts';
import { cutBothWays } from './links.ts';
import type { Machine } from './machine.ts';
import type { SimWorld } from './world.ts';

export interface Hindrance {
  /** Of the counter of such. */
  readonly name: string;
  /** Whose leaders are as they should be. */
  readonly partitions: readonly TopicPartition[];
  begin(): void;
  end(): void;
  /** True when the follower `id` cannot keep up with `leader`. */
  hinders(id: NodeId, leader: NodeId): boolean;
}

/** A link between a leader and a follower that carries nothing, or the disk of a follower that finishes nothing. */
export function drawHindrance(world: SimWorld): Hindrance | undefined {
  const random = new SeededRandom(world.options.seed, 'hindrance');
  const following = oneOf(followingsOf(world), random);
  if (following === undefined) return undefined;
  const { leader, follower } = following;
  return random.float() < 0.5 ? cutLink(world, leader, follower) : stallDisk(world, follower);
}

function cutLink(world: SimWorld, a: Machine, b: Machine): Hindrance {
  const { network } = world;
  const ids = [a.plan.id, b.plan.id];
  return {
    name: 'followers cut off in the end',
    partitions: partitionsOf(world),
    begin: () => cutBothWays(world, a, b),
    end: () => network.heal(),
    hinders: (id, leader) => id !== leader && ids.includes(id) && ids.includes(leader),
  };
}

function stallDisk(world: SimWorld, machine: Machine): Hindrance {
  return {
    name: 'disks of followers stalled in the end',
    partitions: partitionsOf(world).filter(
      ({ topic, partition }) => world.leaderOf(topic, partition) !== machine,
    ),
    begin: () => machine.stallDisk(),
    end: () => machine.resumeDisk(),
    hinders: (id, leader) => id === machine.plan.id && id !== leader,
  };
}

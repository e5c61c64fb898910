import { type SeededRandom, shuffle } from '../../../../base/index.ts';
import type { Machine } from '../machine.ts';
import type { SimWorld } from '../world.ts';

/** One of them, any. */
export function oneOf<T>(from: readonly T[], random: SeededRandom): T | undefined {
  return from.length === 0 ? undefined : from[random.integer(0, from.length)];
}

/** Any machine; those that lead more often than others. */
export function someMachine(world: SimWorld, random: SeededRandom): Machine {
  const draw = random.float();
  const topic = oneOf(world.options.topics, random);
  const leading =
    topic === undefined || draw >= 0.3
      ? undefined
      : world.leaderOf(topic.name, random.integer(0, topic.partitions));
  const active = draw >= 0.3 && draw < 0.5 ? world.activeController() : undefined;
  return leading ?? active ?? (oneOf(world.machines, random) as Machine);
}

/** Two sides, neither empty; undefined: there is but one machine. */
export function twoSides(
  world: SimWorld,
  random: SeededRandom,
): { readonly near: readonly Machine[]; readonly far: readonly Machine[] } | undefined {
  if (world.machines.length < 2) return undefined;
  const machines = shuffle([...world.machines], random);
  const size = random.integer(1, machines.length);
  return { near: machines.slice(0, size), far: machines.slice(size) };
}

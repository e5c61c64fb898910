/** Nodes that die: with their page cache intact, or with the power. They come back after a while. */
import type { SeededRandom } from '../../../../base/index.ts';
import type { Machine } from '../machine.ts';
import type { SimWorld } from '../world.ts';
import type { Fault, Trouble } from './fault.ts';
import { someMachine } from './targets.ts';

/** In so many of a hundred cases all brokers, or all nodes, die in one moment. */
const ALL_BROKERS_PERCENT = 5;
const ALL_PERCENT = 10;
/** Mean time until a node is started again: by a supervisor, or by a person. */
const DOWN_MS = [100, 3_000, 20_000];

export const kill: Fault = { kind: 'kill', begin: (world, random) => fell(world, random, false) };

export const powerLoss: Fault = { kind: 'power loss', begin: (world, random) => fell(world, random, true) };

function fell(world: SimWorld, random: SeededRandom, power: boolean): Trouble | undefined {
  const victims = drawVictims(world, random).filter(({ isUp }) => isUp);
  if (victims.length === 0) return undefined;
  for (const machine of victims) {
    machine.kill(power);
    world.trace.count(power ? 'power losses' : 'kills');
  }
  const meanMs = DOWN_MS[random.integer(0, DOWN_MS.length)] ?? 0;
  const names = victims.map(({ name }) => name).join(', ');
  return {
    text: `${names} ${power ? 'lose power' : 'are killed'}`,
    // What was acknowledged is durable: power loss forgets none of it.
    record: { nodes: victims.map(({ plan }) => plan.id), lossy: false },
    lastsMs: -Math.log(1 - random.float()) * meanMs,
    end() {
      for (const machine of victims) machine.start();
    },
  };
}

function drawVictims(world: SimWorld, random: SeededRandom): readonly Machine[] {
  const percent = random.integer(0, 100);
  if (percent < ALL_BROKERS_PERCENT) return world.brokers;
  if (percent < ALL_PERCENT) return world.machines;
  return [someMachine(world, random)];
}

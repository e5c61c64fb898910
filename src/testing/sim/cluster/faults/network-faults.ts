/** Links that carry nothing, connections that break, calls that are lost, overtaken or executed twice. */
import { type SeededRandom, shuffle } from '../../../../base/index.ts';
import type { SimWorld } from '../world.ts';
import type { Fault, Trouble } from './fault.ts';
import { oneOf, someMachine, twoSides } from './targets.ts';

const LASTS_MEAN_MS = 4_000;

const lasting = (random: SeededRandom): number => -Math.log(1 - random.float()) * LASTS_MEAN_MS;

/** Both ways: halves, a bridge (one machine is seen by both sides), one machine alone, controllers from brokers. */
export const cut: Fault = {
  kind: 'cut',
  begin(world, random) {
    const shape = oneOf(['halves', 'bridge', 'leader', 'roles', 'clients'] as const, random);
    const [near, far] = sidesOf(world, random, shape);
    if (near.length === 0 || far.length === 0) return undefined;
    world.trace.count(`cuts: ${shape}`);
    return cutting(
      world,
      random,
      pairsOf(near, far, true),
      `${shape}: ${near.join(', ')} | ${far.join(', ')}`,
    );
  },
};

export const oneWayCut: Fault = {
  kind: 'one-way cut',
  begin(world, random) {
    const sides = twoSides(world, random);
    if (sides === undefined) return undefined;
    const near = sides.near.map(({ name }) => name);
    const far = sides.far.map(({ name }) => name);
    return cutting(world, random, pairsOf(near, far, false), `${near.join(', ')} > ${far.join(', ')}`);
  },
};

export const brokenConnection: Fault = {
  kind: 'broken connection',
  begin(world, random) {
    const a = someMachine(world, random).name;
    const b = oneOf([...world.machines.map(({ name }) => name), ...world.clientNames], random) ?? a;
    if (a === b) return undefined;
    world.network.break(a, b);
    return { text: `${a} - ${b}`, lastsMs: 0, end() {} };
  },
};

/** A lost message is a broken connection. */
export const lostMessages: Fault = rateFault('lost messages', 0.05, (world, rate) =>
  world.network.setLossRate(rate),
);

export const overtakingCalls: Fault = rateFault('overtaking calls', 0.3, (world, rate) =>
  world.network.setReorderRate(rate),
);

export const doubledCalls: Fault = rateFault('doubled calls', 0.3, (world, rate) =>
  world.network.setDuplicateRate(rate),
);

function rateFault(
  kind: Fault['kind'],
  rateMax: number,
  set: (world: SimWorld, rate: number) => void,
): Fault {
  return {
    kind,
    begin(world, random) {
      const rate = rateMax ** (1 + random.float());
      set(world, rate);
      return {
        text: rate.toFixed(4),
        lastsMs: lasting(random),
        end: () => set(world, 0),
      };
    },
  };
}

type Shape = 'halves' | 'bridge' | 'leader' | 'roles' | 'clients';

function sidesOf(
  world: SimWorld,
  random: SeededRandom,
  shape: Shape | undefined,
): [near: readonly string[], far: readonly string[]] {
  const names = world.machines.map(({ name }) => name);
  const without = (some: readonly string[]): string[] => names.filter((name) => !some.includes(name));
  if (shape === 'leader') {
    const { name } = someMachine(world, random);
    return [[name], without([name])];
  }
  if (shape === 'roles')
    return [world.brokers.map(({ name }) => name), world.controllers.map(({ name }) => name)];
  if (shape === 'clients') {
    const clients = shuffle(world.clientNames, random);
    return [clients.slice(0, random.integer(1, clients.length + 1)), [someMachine(world, random).name]];
  }
  const shuffled = shuffle(names, random);
  const near = shuffled.slice(0, random.integer(1, shuffled.length));
  const far = without(near);
  return [near, shape === 'bridge' ? far.slice(1) : far];
}

function pairsOf(
  near: readonly string[],
  far: readonly string[],
  bothWays: boolean,
): (readonly [from: string, to: string])[] {
  return near.flatMap((a) =>
    far.flatMap((b) => (bothWays ? [[a, b] as const, [b, a] as const] : [[a, b] as const])),
  );
}

function cutting(
  world: SimWorld,
  random: SeededRandom,
  pairs: readonly (readonly [from: string, to: string])[],
  text: string,
): Trouble {
  for (const [from, to] of pairs) world.network.cut(from, to);
  return {
    text,
    lastsMs: lasting(random),
    end() {
      for (const [from, to] of pairs) world.network.heal(from, to);
    },
  };
}

/** Nodes that die, with their page cache or with the power; that stand still; that are stopped in order; that loop. */
import type { SeededRandom } from '../../../../base/index.ts';
import type { Machine } from '../machine.ts';
import type { SimWorld } from '../world.ts';
import type { Fault, Trouble } from './fault.ts';
import { oneOf, someMachine } from './targets.ts';

/** In so many of a hundred cases all brokers, or all nodes, die in one moment. */
const ALL_BROKERS_PERCENT = 5;
const ALL_PERCENT = 10;
/** Mean time until a node is started again: by a supervisor, or by a person. */
const DOWN_MS = [100, 3_000, 20_000];
const PAUSE_MS = [200, 3_000, 20_000];
const CRASHES_MAX = 10;
/** Worse than any quartz, and than most virtual machines. */
const RATE_MAX = 0.2;
const CRASH_PAUSE_MS = 1_000;

const drawn = (means: readonly number[], random: SeededRandom): number =>
  -Math.log(1 - random.float()) * (oneOf(means, random) ?? 0);

export const kill: Fault = { kind: 'kill', begin: (world, random) => fell(world, random, false) };

export const powerLoss: Fault = { kind: 'power loss', begin: (world, random) => fell(world, random, true) };

function fell(world: SimWorld, random: SeededRandom, power: boolean): Trouble | undefined {
  const victims = drawVictims(world, random).filter(({ isUp }) => isUp);
  if (victims.length === 0) return undefined;
  for (const machine of victims) machine.kill(power);
  return {
    text: victims.map(({ name }) => name).join(', '),
    // What was acknowledged is durable: power loss forgets none of it.
    record: { nodes: victims.map(({ plan }) => plan.id), lossy: false },
    lastsMs: drawn(DOWN_MS, random),
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

export const pause: Fault = {
  kind: 'pause',
  begin(world, random) {
    const machine = someMachine(world, random);
    if (!machine.isUp || machine.isPaused) return undefined;
    machine.pause();
    return { text: machine.name, lastsMs: drawn(PAUSE_MS, random), end: () => machine.resume() };
  },
};

/** Started again as soon as it is down. */
export const crashLoop: Fault = {
  kind: 'crash loop',
  begin(world, random) {
    const machine = someMachine(world, random);
    const { scheduler } = world;
    let left = random.integer(2, CRASHES_MAX);
    let isOver = false;
    const crash = (): void => {
      if (isOver) return;
      machine.kill(random.float() < 0.5);
      machine.start();
      if (--left > 0) scheduler.after(drawn([CRASH_PAUSE_MS], random), crash);
    };
    crash();
    return {
      text: `${machine.name}, ${left + 1} times`,
      lastsMs: CRASHES_MAX * CRASH_PAUSE_MS,
      end() {
        isOver = true;
      },
    };
  },
};

/** Stopped in order, one after the other, and started again. */
export const rollingRestart: Fault = {
  kind: 'rolling restart',
  begin(world, random) {
    const machines = random.float() < 0.5 ? [someMachine(world, random)] : world.machines;
    let isOver = false;
    const roll = async (): Promise<void> => {
      for (const machine of machines) {
        if (isOver) return;
        await machine.stop();
        await world.after(drawn([CRASH_PAUSE_MS], random));
        machine.start();
        await world.after(drawn([CRASH_PAUSE_MS], random));
      }
    };
    void roll();
    return {
      text: machines.map(({ name }) => name).join(', '),
      lastsMs: machines.length * 5 * CRASH_PAUSE_MS,
      end() {
        isOver = true;
      },
    };
  },
};

/** Its date jumps, to and fro. */
export const clockJump: Fault = {
  kind: 'clock jump',
  begin(world, random) {
    const machine = someMachine(world, random);
    const before = machine.skewMs;
    machine.skewMs = Math.round((random.float() - 0.5) * 20 * 60_000);
    return {
      text: `${machine.name} to ${machine.skewMs} ms`,
      lastsMs: drawn([CRASH_PAUSE_MS, 20_000], random),
      end() {
        machine.skewMs = before;
      },
    };
  },
};

/** Its clocks run fast or slow, timers included. */
export const clockRate: Fault = {
  kind: 'clock rate',
  begin(world, random) {
    const machine = someMachine(world, random);
    const rate = 1 + (random.float() - 0.5) * 2 * RATE_MAX;
    machine.rate = rate;
    return {
      text: `${machine.name} at ${rate.toFixed(3)}`,
      lastsMs: drawn([3_000, 20_000], random),
      end() {
        machine.rate = 1;
      },
    };
  },
};

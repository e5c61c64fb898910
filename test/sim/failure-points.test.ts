import { afterEach, beforeEach, expect, it } from 'vitest';
import { passedName } from '../../src/testing/sim/cluster/coverage.ts';
import type { InsertedPoints } from '../../src/testing/sim/cluster/inserted-points.ts';
import { drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { SimWorld } from '../../src/testing/sim/cluster/world.ts';
import { Trace } from '../../src/testing/sim/trace.ts';

let port: InsertedPoints;
let world: SimWorld;

beforeEach(() => {
  port = { points: [{ name: 'a.step' }, { name: 'a.far', reach: 'chaos' }] };
  Reflect.set(globalThis, 'quorateFailurePoints', port);
  world = new SimWorld({ ...drawOptions(1), controllers: 1, brokers: 2 }, new Trace(true));
  world.points.listen();
  for (const machine of world.machines) machine.start();
});

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'quorateFailurePoints');
});

function pass(name: string, of: unknown): void {
  port.pass?.(name, of);
}

it('draws among the points that a simulation gets to', () => {
  expect(world.points.names).toEqual(['a.step']);
});

it('strikes whose code it is at the pass it waits for, once', () => {
  const struck: string[] = [];
  const [one, other] = world.brokers;
  world.points.arm({ name: 'a.step', passes: 3, strike: ({ name }) => struck.push(name) });
  pass('a.step', one?.environment.files);
  pass('a.other', one?.environment.files);
  pass('a.step', other?.environment.timers);
  pass('a.step', undefined);
  pass('a.step', {});
  expect(struck).toEqual([]);
  for (let again = 0; again < 3; again++) pass('a.step', other?.environment.logger);
  expect(struck).toEqual(['broker-2']);
});

it('counts for one machine only what that passes, and nothing once it is disarmed', () => {
  const struck: string[] = [];
  const [one, other] = world.brokers;
  if (one === undefined || other === undefined) throw new Error('no brokers');
  const arm = () =>
    world.points.arm({ name: 'a.step', machine: one, passes: 1, strike: ({ name }) => struck.push(name) });
  arm();
  pass('a.step', other.environment.files);
  expect(struck).toEqual([]);
  pass('a.step', one.environment.files);
  expect(struck).toEqual(['broker-1']);
  arm()();
  pass('a.step', one.environment.files);
  expect(struck).toEqual(['broker-1']);
});

it('knows what belongs to a part of a node', () => {
  const struck: string[] = [];
  const handle = {};
  world.points.arm({ name: 'a.step', passes: 1, strike: ({ name }) => struck.push(name) });
  port.adopt?.({}, handle);
  port.adopt?.(handle, world.machine(1).environment.files);
  pass('a.step', handle);
  expect(struck).toEqual(['broker-1']);
});

it('takes no step of the dead for one of the living', () => {
  const struck: string[] = [];
  const machine = world.machine(1);
  const { files } = machine.environment;
  machine.kill(true);
  machine.start();
  world.points.arm({ name: 'a.step', passes: 1, strike: ({ name }) => struck.push(name) });
  pass('a.step', files);
  expect(struck).toEqual([]);
  pass('a.step', machine.environment.files);
  expect(struck).toEqual(['broker-1']);
  world.points.close(world.trace);
  expect(world.trace.counters.get(passedName('a.step'))).toBe(1);
  pass('a.step', machine.environment.files);
});

it('kills the machine in the midst of it, and starts it again', async () => {
  const machine = world.machine(1);
  const { files } = machine.environment;
  world.points.arm({
    name: 'a.step',
    passes: 1,
    strike: (victim) => {
      victim.kill(false);
      world.scheduler.after(10, () => victim.start());
    },
  });
  pass('a.step', files);
  expect(machine.isUp).toBe(false);
  await world.run(() => machine.isUp, 20);
  expect(machine.isUp).toBe(true);
  expect(machine.environment.files).not.toBe(files);
});

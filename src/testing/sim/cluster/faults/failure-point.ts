/** A machine dies at a named point of its own code, wherever that is; see ../failure-points.ts. */
import type { SeededRandom } from '../../../../base/index.ts';
import type { Timer } from '../../../../env/index.ts';
import { diedName } from '../coverage.ts';
import type { Machine } from '../machine.ts';
import type { SimWorld } from '../world.ts';
import type { Fault } from './fault.ts';
import { oneOf, someMachine } from './targets.ts';

/** Some points are passed all the time, others once in a life: one number of passes is as likely as twice as many. */
const PASSES_MAX = 20;
/** Mean time that a point waits for somebody to pass. */
const PATIENCE_MS = 10_000;
const DOWN_MS = [100, 3_000, 20_000];

const drawn = (meanMs: number, random: SeededRandom): number => -Math.log(1 - random.float()) * meanMs;

export const failurePoint: Fault = {
  kind: 'failure point',
  begin(world, random) {
    const name = oneOf(world.points.names, random);
    if (name === undefined) return undefined;
    const machine = random.float() < 0.5 ? someMachine(world, random) : undefined;
    const passes = Math.floor((PASSES_MAX + 1) ** random.float());
    const power = random.float() < 0.5;
    const downMs = drawn(oneOf(DOWN_MS, random) ?? 0, random);
    const patienceMs = drawn(PATIENCE_MS, random);
    let killed: Machine | undefined;
    let rising: Timer | undefined;
    const strike = (victim: Machine): void => {
      killed = victim;
      fell(world, name, victim, power);
      rising = world.scheduler.after(downMs, () => victim.start());
    };
    const disarm = world.points.arm({ name, passes, strike, ...(machine === undefined ? {} : { machine }) });
    return {
      text: `${name}, pass ${passes} of ${machine?.name ?? 'anybody'}, ${power ? 'power loss' : 'kill'}`,
      lastsMs: patienceMs + downMs,
      end() {
        disarm();
        rising?.cancel();
        killed?.start();
      },
    };
  },
};

function fell(world: SimWorld, name: string, victim: Machine, power: boolean): void {
  victim.kill(power);
  world.trace.count(diedName(name));
  world.note(`failure point: ${victim.name} died at ${name}`);
  const nodes = [victim.plan.id];
  world.recorder.note('nemesis', { f: 'fault', fault: 'failure point', nodes, lossy: false });
}

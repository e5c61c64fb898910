/**
 * Inserts the failure points into the sources while they are loaded:
 *
 *     node --import ./test/failpoints/register.ts <program>
 *
 * They do nothing by themselves. A simulation listens to them; and with `FAILPOINT=<name>:kill@<n>` in its environment a process
 * kills itself where it passes that point for the n-th time; of several, with commas between, at whichever comes first.
 */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import process from 'node:process';
import type { InsertedPoints } from '../../src/testing/sim/cluster/inserted-points.ts';
import { INSERTIONS, ROOT, withPoints } from './insert.ts';
import { POINTS } from './registry/index.ts';

const FILES = new Map([...INSERTIONS.keys()].map((file) => [new URL(file, ROOT).href, file]));

const port: InsertedPoints = {
  points: POINTS.map(({ name, reach }) => (reach === undefined ? { name } : { name, reach })),
};
Reflect.set(globalThis, 'quorateFailurePoints', port);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const file = FILES.get(url);
    if (file === undefined || loaded.source === undefined) return loaded;
    return { ...loaded, source: withPoints(file, sourceOf(loaded.source)) };
  },
});

function sourceOf(source: string | NodeJS.TypedArray | ArrayBuffer): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}

const { FAILPOINT } = process.env;
if (FAILPOINT !== undefined) {
  const left = new Map(FAILPOINT.split(',').map(readOrder));
  port.pass = (name, of) => {
    const passes = left.get(name);
    if (passes === undefined || of === undefined) return;
    left.set(name, passes - 1);
    if (passes === 1) die(name);
  };
}

function readOrder(order: string): [name: string, passes: number] {
  const [, name, passes] = /^([\w.-]+):kill@([1-9]\d*)$/.exec(order) ?? [];
  if (name === undefined || !POINTS.some((point) => point.name === name))
    throw new Error(`FAILPOINT=${order} is no failure point`);
  return [name, Number(passes)];
}

/** Not another line of the program runs. */
function die(failurePoint: string): void {
  const line = { level: 'info', failurePoint, msg: 'died at a failure point' };
  writeSync(process.stderr.fd, `${JSON.stringify(line)}\n`);
  process.kill(process.pid, 'SIGKILL');
}

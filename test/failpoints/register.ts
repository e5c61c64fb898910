/**
 * Inserts the failure points into the sources while they are loaded:
 *
 *     node --import ./test/failpoints/register.ts <program>
 *
 * They do nothing by themselves. A simulation listens to them; and with `FAILPOINT=<name>:kill@<n>` in its environment a process
 * kills itself where it passes that point for the n-th time.
 */
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

const order = process.env.FAILPOINT;
if (order !== undefined) {
  const [, name, nth] = /^([\w.-]+):kill@([1-9]\d*)$/.exec(order) ?? [];
  if (!POINTS.some((point) => point.name === name)) throw new Error(`FAILPOINT=${order} is no failure point`);
  let left = Number(nth);
  port.pass = (passed, of) => {
    if (passed === name && of !== undefined && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}

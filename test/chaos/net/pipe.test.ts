import { duplexPair } from 'node:stream';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { encodeValue } from '../../../src/testing/index.ts';
import { Pipe, type PipeEnd } from './pipe.ts';
import { type LinkMode, PASS } from './shape.ts';

/** Longer than a test may take. */
const NEVER_MS = 10 ** 9;
const SLOW_MODES: readonly LinkMode[] = [
  { kind: 'throttle', bytesPerSecond: 0.001 },
  { kind: 'delay', minMs: NEVER_MS, jitterMs: 0 },
  { kind: 'hold' },
];

class CountingRandom extends SeededRandom {
  draws = 0;

  override float(): number {
    this.draws++;
    return super.float();
  }
}

function joined() {
  const random = new CountingRandom(1);
  const [speaker, from] = duplexPair();
  const [to, listener] = duplexPair();
  const asEnd = (one: typeof from): PipeEnd => Object.assign(one, { resetAndDestroy: () => one.destroy() });
  return { speaker, listener, pipe: new Pipe(asEnd(from), asEnd(to), random), from, random };
}

it.each(SLOW_MODES)('what $kind kept back goes on as soon as the link is whole again', async (mode) => {
  const { speaker, listener, pipe, from } = joined();
  pipe.mode = mode;
  const said = Buffer.from(new SeededRandom(2).bytes(5000));
  const taken = new Promise((resolve) => from.once('data', resolve));
  speaker.write(said);
  await taken;
  pipe.mode = PASS;
  speaker.end();
  expect(Buffer.concat(await listener.toArray()).equals(said)).toBe(true);
});

it('the same mode once more decides nothing anew', async () => {
  const { speaker, pipe, from, random } = joined();
  const taken = new Promise((resolve) => from.once('data', resolve));
  pipe.mode = { kind: 'delay', minMs: NEVER_MS, jitterMs: 10 };
  speaker.write('one piece');
  await taken;
  pipe.mode = { kind: 'delay', minMs: NEVER_MS, jitterMs: 10 };
  expect(random.draws).toBe(1);
  pipe.mode = { kind: 'delay', minMs: NEVER_MS, jitterMs: 20 };
  expect(random.draws).toBe(2);
  pipe.mode = PASS;
});

it('a strike that is called off never happens', async () => {
  const { speaker, listener, pipe } = joined();
  const said = encodeValue('p1.7', 100);
  pipe.resetAfter(50);
  pipe.flipNext('anywhere', () => {});
  pipe.disarm();
  speaker.end(said);
  expect(Buffer.concat(await listener.toArray()).equals(said)).toBe(true);
});

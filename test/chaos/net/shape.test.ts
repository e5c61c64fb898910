import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { encodeValue } from '../../../src/testing/index.ts';
import { bothWays, linksBetween, ringCuts } from './links.ts';
import { flip, type LinkMode, shape } from './shape.ts';

const MODES: readonly LinkMode[] = [
  { kind: 'pass' },
  { kind: 'hold' },
  { kind: 'stall' },
  { kind: 'delay', minMs: 5, jitterMs: 50 },
  { kind: 'throttle', bytesPerSecond: 1000 },
  { kind: 'dribble' },
];
const bytesOf = (length: number): Buffer => Buffer.from(new SeededRandom(length).bytes(length));

it.each(MODES)('$kind changes neither bytes nor their order', (mode) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 6 });
  fc.assert(
    fc.property(sizes, fc.integer(), (lengths, seed) => {
      const random = new SeededRandom(seed);
      let lastDueMs = 0;
      const said: Buffer[] = [];
      for (const [index, length] of lengths.entries())
        for (const { bytes, dueMs } of shape(bytesOf(length), mode, index, lastDueMs, random)) {
          expect(dueMs).toBeGreaterThanOrEqual(lastDueMs);
          lastDueMs = dueMs;
          said.push(bytes);
        }
      expect(Buffer.concat(said).equals(Buffer.concat(lengths.map(bytesOf)))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

it('a throttled link takes as long as its bytes need', () => {
  const pieces = shape(
    bytesOf(5000),
    { kind: 'throttle', bytesPerSecond: 1000 },
    0,
    100,
    new SeededRandom(1),
  );
  expect(pieces.at(-1)?.dueMs).toBeCloseTo(5100);
});

it('a dribbling link says the beginning of a piece byte by byte', () => {
  const pieces = shape(bytesOf(100), { kind: 'dribble' }, 0, 0, new SeededRandom(1));
  expect(pieces.map(({ bytes }) => bytes.length)).toEqual([...Array(64).fill(1), 36]);
});

describe('flip', () => {
  const isOneBit = (one: Buffer, other: Buffer): boolean => {
    const bits = one.map((byte, index) => byte ^ (other[index] ?? 0)).filter((byte) => byte !== 0);
    return bits.length === 1 && Math.log2(bits[0] ?? 0) % 1 === 0;
  };

  it('changes one bit of the filler of a value and leaves the original alone', () => {
    const value = encodeValue('p1.7', 100);
    const bytes = Buffer.concat([Buffer.from('00000000head'), value, Buffer.from('tail')]);
    const fillerAt = bytes.indexOf('|', bytes.indexOf('|') + 1) + 1;
    for (let seed = 0; seed < 50; seed++) {
      const flipped = flip(bytes, 'payload', new SeededRandom(seed)) as Buffer;
      expect(isOneBit(bytes, flipped)).toBe(true);
      const at = bytes.findIndex((byte, index) => byte !== flipped[index]);
      expect(at).toBeGreaterThanOrEqual(fillerAt);
      expect(at).toBeLessThan(bytes.length - 4);
    }
    expect(bytes.includes(value)).toBe(true);
  });

  it('finds no payload where there is none, and anything anywhere', () => {
    const bytes = Buffer.from('no record in sight');
    expect(flip(bytes, 'payload', new SeededRandom(1))).toBeUndefined();
    expect(isOneBit(bytes, flip(bytes, 'anywhere', new SeededRandom(1)) as Buffer)).toBe(true);
  });
});

describe('links', () => {
  it('are directed, and nobody has one to himself', () => {
    expect(linksBetween([1, 2], [2, 3])).toEqual([
      [1, 2],
      [1, 3],
      [2, 3],
    ]);
    expect(bothWays([[1, 'client']])).toEqual([
      [1, 'client'],
      ['client', 1],
    ]);
  });

  it('of a ring are cut so that each hears its neighbours, and no two hear the same', () => {
    const ring = [1, 2, 3, 4, 5];
    const cuts = ringCuts(ring, 1);
    const heard = ring.map((to) =>
      ring.filter((from) => !cuts.some(([one, other]) => one === from && other === to)),
    );
    expect(heard).toEqual([
      [1, 2, 5],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 5],
      [1, 4, 5],
    ]);
  });
});

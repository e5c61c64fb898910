import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { groupSegments } from '../../../src/log/compaction/core/group-segments.ts';
import { KeyHash } from '../../../src/log/compaction/core/key-hash.ts';
import { KeyMap } from '../../../src/log/compaction/core/key-map.ts';
import { type ClosedSegment, planCleaning } from '../../../src/log/compaction/core/plan-cleaning.ts';
import { Throttle } from '../../../src/log/compaction/core/throttle.ts';

const SECRET = new SeededRandom(1).bytes(16);

describe('the hash of a key', () => {
  it('is HalfSipHash-2-4 of 64 bits, once with each half of the secret', () => {
    // From the reference implementation: key 00..07, input 00, 00 01, ... of growing length.
    const reference = [
      '218d1f59b9b83cc8',
      'be552412f8387315',
      '064f39ef7c50eb57',
      'ce0f1a45f7060679',
      'd5e78a175be52ea1',
    ];
    // The secret is read high byte first, the reference's key low byte first.
    const half = [3, 2, 1, 0, 7, 6, 5, 4];
    const hash = new KeyHash(Uint8Array.from([...half, ...half]));
    const input = Uint8Array.from({ length: 8 }, (_, i) => i);
    for (const [length, expected] of reference.entries()) {
      hash.hash(input, 0, length);
      const words = Buffer.alloc(16);
      for (const [i, word] of [hash.a, hash.b, hash.c, hash.d].entries()) words.writeInt32LE(word, i * 4);
      expect(words.toString('hex')).toBe(expected + expected);
    }
  });

  it('looks at every byte of the key, and at its length', () => {
    const hash = new KeyHash(SECRET);
    const seen = new Set<string>();
    for (let length = 0; length < 20; length++)
      for (let at = 0; at <= length; at++) {
        const key = new Uint8Array(length);
        if (at < length) key[at] = 1;
        hash.hash(key, 0, length);
        seen.add([hash.a, hash.b, hash.c, hash.d].join());
      }
    expect(seen.size).toBe((20 * 21) / 2);
  });
});

describe('the map of keys', () => {
  it('gives the last offset of each key, and -1 for others', () => {
    const puts = fc.array(fc.string({ maxLength: 3 }), { maxLength: 60 });
    fc.assert(
      fc.property(puts, fc.string({ maxLength: 3 }), (keys, other) => {
        const map = new KeyMap(10_000, keys.length, SECRET);
        const model = new Map<string, number>();
        for (const [offset, key] of keys.entries()) {
          const bytes = Buffer.from(`..${key}.`);
          map.put(bytes, 2, bytes.length - 1, offset);
          model.set(bytes.toString(), offset);
        }
        expect(map.count).toBe(model.size);
        for (const key of [...keys, other]) {
          const bytes = Buffer.from(`..${key}.`);
          expect(map.get(bytes, 2, bytes.length - 1)).toBe(model.get(bytes.toString()) ?? -1);
        }
      }),
    );
  });

  it('takes no more memory than it may, nor more than the keys need, and finds keys when full', () => {
    const full = new KeyMap(2400, 1_000_000, SECRET);
    expect(full.capacity).toBe(75);
    expect(new KeyMap(1_000_000, 3, SECRET).capacity).toBeGreaterThanOrEqual(3);
    expect(new KeyMap(1_000_000, 3, SECRET).capacity).toBeLessThan(6);
    expect(new KeyMap(1, 3, SECRET).room).toBe(0);
    const key = (i: number) => Buffer.from(`key ${i}`);
    for (let i = 0; i < 75; i++) full.put(key(i), 0, key(i).length, i);
    expect(full.room).toBe(0);
    for (let i = 0; i < 75; i++) expect(full.get(key(i), 0, key(i).length)).toBe(i);
    expect(full.get(key(76), 0, key(76).length)).toBe(-1);
    full.put(key(3), 0, key(3).length, 99);
    expect(full.get(key(3), 0, key(3).length)).toBe(99);
    expect(() => full.put(key(76), 0, key(76).length, 100)).toThrow(/room/);
  });
});

const RULES = {
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
};

/** Segments of ten offsets and 100 bytes each, a second apart. */
function closed(count: number, from = 0): ClosedSegment[] {
  return Array.from({ length: count }, (_, i) => ({
    baseOffset: from + i * 10,
    endOffset: from + i * 10 + 10,
    sizeBytes: 100,
    firstTimestampMs: i * 1000 + 1,
    largestTimestampMs: i * 1000 + 999,
  }));
}

describe('the plan of a cleaning', () => {
  const log = { closed: closed(6), logStartOffset: 0, highWatermark: 60, firstDirtyOffset: 0 };

  it('begins where the last one ended, and ends with the last closed segment', () => {
    expect(planCleaning({ ...log, firstDirtyOffset: 20 }, RULES, 9000)).toMatchObject({
      firstDirtyOffset: 20,
      endOffset: 60,
      dirtyRatio: 4 / 6,
      isDue: true,
    });
  });

  it('takes no segment that is not wholly below the high watermark', () => {
    expect(planCleaning({ ...log, highWatermark: 49 }, RULES, 9000).endOffset).toBe(40);
    expect(planCleaning({ ...log, highWatermark: 50 }, RULES, 9000).endOffset).toBe(50);
    expect(planCleaning({ ...log, highWatermark: 5 }, RULES, 9000)).toMatchObject({
      endOffset: 0,
      isDue: false,
    });
  });

  it('ends before the first segment that has a record younger than min.compaction.lag.ms', () => {
    const rules = { ...RULES, minCompactionLagMs: 1000 };
    expect(planCleaning(log, rules, 3998).endOffset).toBe(20);
    expect(planCleaning(log, rules, 3999).endOffset).toBe(30);
  });

  it('is due when more than min.cleanable.dirty.ratio is dirty', () => {
    expect(planCleaning({ ...log, firstDirtyOffset: 30 }, RULES, 9000).isDue).toBe(false);
    expect(planCleaning({ ...log, firstDirtyOffset: 20 }, RULES, 9000).isDue).toBe(true);
    const any = { ...RULES, minCleanableDirtyRatio: 0 };
    expect(planCleaning({ ...log, firstDirtyOffset: 50 }, any, 9000).isDue).toBe(true);
    expect(planCleaning({ ...log, firstDirtyOffset: 60 }, any, 9000).isDue).toBe(false);
  });

  it('is due when a dirty segment began longer than max.compaction.lag.ms ago', () => {
    const rules = { ...RULES, maxCompactionLagMs: 500 };
    expect(planCleaning({ ...log, firstDirtyOffset: 50 }, rules, 5501).isDue).toBe(false);
    expect(planCleaning({ ...log, firstDirtyOffset: 50 }, rules, 5502).isDue).toBe(true);
  });

  it('begins at the log start when the log cannot be clean up to where it is said to be', () => {
    const late = { ...log, closed: closed(6, 40), logStartOffset: 44, highWatermark: 100 };
    expect(planCleaning({ ...late, firstDirtyOffset: 10 }, RULES, 9000).firstDirtyOffset).toBe(44);
    expect(planCleaning({ ...late, firstDirtyOffset: 101 }, RULES, 9000).firstDirtyOffset).toBe(44);
    expect(planCleaning({ ...late, firstDirtyOffset: 100 }, RULES, 9000)).toMatchObject({
      firstDirtyOffset: 100,
      endOffset: 100,
      isDue: false,
    });
  });

  it('has nothing to do in a log without closed segments', () => {
    const empty = { closed: [], logStartOffset: 7, highWatermark: 9, firstDirtyOffset: 3 };
    expect(planCleaning(empty, RULES, 0)).toEqual({
      firstDirtyOffset: 7,
      endOffset: 7,
      dirtyRatio: 0,
      isDue: false,
      delayMs: 0,
    });
  });
});

describe('segments that become one', () => {
  it('are neighbours, none is left out, and together they keep every limit unless alone', () => {
    const spans = fc.array(
      fc.record({
        span: fc.integer({ min: 1, max: 2 ** 31 }),
        sizeBytes: fc.nat(50),
        indexBytes: fc.nat(50),
      }),
    );
    fc.assert(
      fc.property(spans, (all) => {
        let base = 0;
        const segments = all.map(({ span, ...rest }) => {
          base += span;
          return { baseOffset: base - span, endOffset: base, ...rest };
        });
        const groups = groupSegments(segments, { segmentBytes: 100, indexBytes: 80 });
        expect(groups.flat()).toEqual(segments);
        for (const group of groups) {
          expect(group.length).toBeGreaterThan(0);
          if (group.length === 1) continue;
          expect(group.reduce((sum, one) => sum + one.sizeBytes, 0)).toBeLessThanOrEqual(100);
          expect(group.reduce((sum, one) => sum + one.indexBytes, 0)).toBeLessThanOrEqual(80);
          const last = (group.at(-1)?.endOffset ?? 0) - 1;
          expect(last - (group[0]?.baseOffset ?? 0)).toBeLessThan(2 ** 31);
        }
        // Greedy: the next segment would not have fitted.
        expect(groupSegments(segments, { segmentBytes: 1e9, indexBytes: 1e9 }).length).toBeLessThanOrEqual(
          groups.length,
        );
      }),
    );
  });
});

describe('a throttle', () => {
  it('lets no more bytes pass than its rate, but for a quarter of a second after idling', () => {
    const throttle = new Throttle(1000);
    expect(throttle.pass(250, 10_000)).toBe(0);
    expect(throttle.pass(500, 10_000)).toBe(500);
    expect(throttle.pass(500, 10_500)).toBe(500);
    expect(throttle.pass(0, 11_000)).toBe(0);
    expect(throttle.pass(1000, 60_000)).toBe(750);
  });

  it('never waits without a limit', () => {
    expect(new Throttle(Number.MAX_VALUE).pass(1e9, 5)).toBe(0);
  });
});

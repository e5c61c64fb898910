import fc from 'fast-check';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const put = fc.record({
  key: fc.integer({ min: 0, max: 6 }),
  isTombstone: fc.boolean(),
  size: fc.integer({ min: 0, max: 40 }),
});
/** Keys that the map has memory for: few, so that most cleanings end before the dirty section does. */
const keys = fc.integer({ min: 6, max: 40 });
const turns = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1500 }));

/** What may happen to a log. */
export const step = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      puts: fc.array(put, { minLength: 1, maxLength: 4 }),
      producer: fc.integer({ min: -1, max: 2 }),
      codec: fc.constantFrom('none' as const, 'none' as const, 'gzip' as const, 'lz4' as const),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'epoch' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 1500 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('clean' as const), keys }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read while cleaning' as const),
      keys,
      turns,
      maxBytes: fc.integer({ min: 1, max: 600 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cut while cleaning' as const),
      keys,
      turns,
      at: share,
      head: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('crash while cleaning' as const),
      keys,
      turns,
      seed: fc.nat(),
      power: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: share }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), at: share }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), seed: fc.nat() }) },
);

export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

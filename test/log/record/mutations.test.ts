/** Batches of every codec, changed at random: what is not a batch any more is refused in our own words, whoever reads it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, CorruptionError } from '../../../src/base/index.ts';
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  batches,
  COMPRESSION_TYPES,
  decodeRecords,
  filterBatch,
  inflateRecords,
  readBatchHeader,
  reencodeBatch,
  validateBatch,
  walkRecords,
} from '../../../src/log/record/index.ts';
import { stampCrc } from '../../../src/log/record/stamp-batch.ts';

const SEEDS: readonly Buffer[] = COMPRESSION_TYPES.flatMap((compression) =>
  [1, 4, 40].map((count) => {
    const builder = new BatchBuilder({ compression });
    for (let i = 0; i < count; i++)
      builder.append({
        timestampMs: 1000 + i,
        key: Buffer.from(`key ${i}`),
        value: i % 3 === 0 ? null : Buffer.from('some value '.repeat(i)),
        headers: i % 4 === 0 ? [{ key: 'h', value: Buffer.from('x') }, { key: 'null' }] : [],
      });
    return Buffer.from(builder.build());
  }),
);

type Change =
  | { readonly kind: 'flip' | 'cut' | 'grow'; readonly at: number; readonly value: number }
  | { readonly kind: 'splice'; readonly at: number; readonly value: number; readonly other: number };

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const value = fc.nat(255);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'grow' as const), at, value }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('splice' as const),
      at,
      value,
      other: fc.nat(SEEDS.length - 1),
    }),
  },
);

function apply(batch: Buffer, one: Change): Buffer {
  const position = Math.floor(one.at * batch.length);
  if (one.kind === 'cut') return batch.subarray(0, position);
  if (one.kind === 'grow') return Buffer.concat([batch, Buffer.alloc(one.value % 20, one.value)]);
  if (one.kind === 'splice')
    return Buffer.concat([batch.subarray(0, position), (SEEDS[one.other] ?? batch).subarray(position)]);
  const changed = Buffer.from(batch);
  if (position < changed.length) changed[position] = (changed[position] ?? 0) ^ (one.value | 1);
  return changed;
}

/** Right in length and CRC, so that what was changed is reached behind them. */
function mended(batch: Buffer): Buffer {
  if (batch.length < BATCH_HEADER_BYTES) return batch;
  const copy = Buffer.from(batch);
  copy.writeInt32BE(copy.length - 12, 8);
  copy.writeInt8(2, 16);
  stampCrc(copy);
  return copy;
}

/** The codes by which it refused; anything that is not a refusal comes through. */
function refusal(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.code;
  }
}

const REFUSALS = [undefined, 'CORRUPT_MESSAGE', 'INVALID_RECORD', 'UNSUPPORTED_COMPRESSION_TYPE'];

describe('a batch that was changed at random', () => {
  let opened = 0;
  const property = fc.property(
    fc.constantFrom(...SEEDS),
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    (seed, changes, mends) => {
      const raw = changes.reduce(apply, seed);
      const batch = mends ? mended(raw) : raw;
      if (validateBatch(batch) !== undefined) return;
      const header = readBatchHeader(batch);
      const codes = [
        refusal(() => [...decodeRecords(batch)]),
        refusal(() => {
          const clear = inflateRecords(batch, header);
          const rules = { timestampMin: -Infinity, timestampMax: Infinity, requireKeys: false };
          const walked = walkRecords(clear, 0, header, rules);
          if ('code' in walked) throw new ApiError(walked.code, walked.message);
          // What the leader lets pass every reader opens, and in another codec too.
          expect([...decodeRecords(batch)]).toHaveLength(header.count);
          expect([...decodeRecords(reencodeBatch(header, batch, clear, 'none'))]).toHaveLength(header.count);
          opened++;
        }),
        ...[true, false].map((keepsEmpty) =>
          refusal(() =>
            filterBatch(batch, header, {
              retains: ({ offset }) => offset % 2 === 0,
              deleteHorizonMs: 5000,
              keepsEmpty,
            }),
          ),
        ),
      ];
      for (const code of codes) expect(REFUSALS).toContain(code);
    },
  );

  it('is refused by its readers in words, or read by all of them', () => {
    fc.assert(property, { numRuns: 10_000 });
    expect(opened).toBeGreaterThan(100);
  });

  it('among others is passed over, or ends the walk through them as damage', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...SEEDS), { maxLength: 3 }),
        fc.array(change),
        (some, changes) => {
          const chunk = changes.reduce(apply, Buffer.concat(some));
          try {
            for (const { header, bytes } of batches(chunk)) expect(bytes).toHaveLength(header.sizeBytes);
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptionError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

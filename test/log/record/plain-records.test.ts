import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BATCH_HEADER_BYTES,
  findMaxTimestamp,
  type RecordRules,
  readBatchHeader,
  walkRecords,
} from '../../../src/log/record/index.ts';
import { ANY, build } from './clear-batch.ts';

function quick(batch: Buffer, rules: Partial<RecordRules> = {}): number | undefined {
  return findMaxTimestamp(batch, BATCH_HEADER_BYTES, readBatchHeader(batch), { ...ANY, ...rules });
}

function walk(batch: Buffer, rules: Partial<RecordRules> = {}): number | undefined {
  const found = walkRecords(batch, BATCH_HEADER_BYTES, readBatchHeader(batch), { ...ANY, ...rules });
  return 'maxTimestamp' in found ? found.maxTimestamp : undefined;
}

const value = Buffer.alloc(100);
const byteOrLength = fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0x81, 0xff), fc.nat(255));
const blob = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 0, max: 200 }).map((length) => Buffer.alloc(length, 1)),
);
const record = fc.record({
  key: blob,
  value: blob,
  timestampMs: fc.oneof(
    fc.integer({ min: 900, max: 1100 }),
    fc.integer({ min: -1, max: 20_000 }),
    fc.constant(-1),
  ),
});
const rules = fc.record({
  timestampMin: fc.constantFrom(-Infinity, 0, 950),
  timestampMax: fc.constantFrom(Infinity, 20_000, 1050),
  requireKeys: fc.boolean(),
});

describe('the quick look through the records of a batch', () => {
  it('knows plain records, and needs no walk for them', () => {
    const records = Array.from({ length: 1000 }, (_, i) => ({ timestampMs: 1000 + (i % 7), value }));
    expect(quick(build(records))).toBe(1006);
    expect(quick(build([{ key: Buffer.alloc(70), value }]), { requireKeys: true })).toBe(1000);
    expect(quick(build([{ key: Buffer.alloc(0), value: null }, { value }]))).toBe(1000);
    expect(quick(build([{ timestampMs: -1, value }]))).toBe(-1);
  });

  it('knows nothing of headers and long numbers, which the walk knows', () => {
    const headers = [{ key: 'h', value }];
    for (const unusual of [{ value, headers }, { value: Buffer.alloc(9000) }, { timestampMs: 9_000_000 }]) {
      const batch = build([{ value }, { value, ...unusual }, { value }]);
      expect(quick(batch)).toBe(undefined);
      expect(walk(batch)).toBeGreaterThanOrEqual(1000);
    }
  });

  it('finds what the walk finds, or nothing, whatever one byte is made of', () => {
    const whole = build([{ key: Buffer.from('k'), value: null }, { value: Buffer.alloc(70) }, { value }]);
    for (let at = BATCH_HEADER_BYTES; at < whole.length; at++)
      for (let byte = 0; byte < 256; byte++) {
        const batch = Buffer.from(whole);
        batch[at] = byte;
        const found = quick(batch);
        if (found !== undefined && found !== walk(batch)) expect({ at, byte, found }).toEqual(walk(batch));
      }
  });

  it('finds nothing that the walk does not find, however records, rules and bytes are', () => {
    let known = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(200), byteOrLength), { maxLength: 2, size: '-1' }),
        fc.constantFrom([0, 0], [0, 0], [0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [0, 2]),
        rules,
        (records, changes, [more = 0, longer = 0], given) => {
          const whole = build(records);
          const batch = Buffer.alloc(whole.length + longer);
          whole.copy(batch);
          for (const [at, byte] of changes)
            if (BATCH_HEADER_BYTES + at < batch.length) batch[BATCH_HEADER_BYTES + at] = byte;
          if (more !== 0) batch.writeInt32BE(Math.max(1, records.length + more), 57);
          const found = quick(batch, given);
          if (found === undefined) refused++;
          else {
            known++;
            expect(walk(batch, given)).toBe(found);
          }
        },
      ),
      { numRuns: 5000 },
    );
    expect(known).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });
});

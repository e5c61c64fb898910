import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BATCH_HEADER_BYTES,
  decodeRecords,
  type NewRecord,
  type RecordRules,
  readBatchHeader,
  walkRecords,
} from '../../../src/log/record/index.ts';
import { ANY, build } from './clear-batch.ts';

const walk = (batch: Buffer, rules: Partial<RecordRules> = {}) =>
  walkRecords(batch, BATCH_HEADER_BYTES, readBatchHeader(batch), { ...ANY, ...rules });

const SOME: readonly Partial<NewRecord>[] = [
  { key: Buffer.from('k'), value: Buffer.from('v'.repeat(90)) },
  { value: null, headers: [{ key: 'h', value: Buffer.from('x') }, { key: 'null' }] },
  { timestampMs: 400, key: Buffer.alloc(0), value: Buffer.alloc(0) },
  { timestampMs: 9_000_000, value: Buffer.alloc(9000) },
];

describe('the walk through the records of a batch', () => {
  it('finds the largest timestamp, wherever it stands', () => {
    expect(walk(build(SOME))).toEqual({ maxTimestamp: 9_000_000 });
    expect(walk(build([...SOME].reverse()))).toEqual({ maxTimestamp: 9_000_000 });
    expect(walk(build([{ timestampMs: -1 }]))).toEqual({ maxTimestamp: -1 });
  });

  it('lets pass exactly what decodes to dense offsets, however the bytes are changed', () => {
    const whole = build(SOME.slice(0, 3));
    let passed = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - BATCH_HEADER_BYTES - 1), fc.nat(255)), { maxLength: 3 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(3),
        (changes, count, cut) => {
          const batch = Buffer.from(whole.subarray(0, whole.length - (count === 2 ? cut : 0)));
          for (const [at, byte] of changes) batch[BATCH_HEADER_BYTES + at] = byte;
          batch.writeInt32BE(count, 57);
          batch.writeInt32BE(count - 1, 23);
          let offsets: number[] | undefined;
          try {
            offsets = [...decodeRecords(batch)].map(({ offset }) => offset);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_RECORD' });
          }
          const isDense = offsets?.every((offset, index) => offset === index) === true;
          const found = walk(batch);
          expect('maxTimestamp' in found, JSON.stringify(found)).toBe(isDense);
          if (isDense) passed++;
        },
      ),
      { numRuns: 3000 },
    );
    expect(passed).toBeGreaterThan(30);
  });

  it('refuses offsets that are not 0, 1, 2, ..., and names the record', () => {
    const batch = build([{}, {}, {}]);
    // Records of 7 bytes: length, attributes, time delta, offset delta, two nulls, no headers.
    batch[BATCH_HEADER_BYTES + 7 + 3] = 4;
    expect(walk(batch)).toMatchObject({
      code: 'INVALID_RECORD',
      message: expect.stringContaining('record 1'),
    });
  });

  it('refuses bytes after the last record', () => {
    const batch = build([{}, {}]);
    batch.writeInt32BE(1, 57);
    expect(walk(batch)).toEqual({ code: 'INVALID_RECORD', message: '7 bytes follow the last record' });
  });

  it('refuses a header without a key', () => {
    const empty = { key: '', value: Buffer.alloc(0) };
    const batch = build([{ headers: [empty, empty] }]);
    expect(walk(batch)).toEqual({ maxTimestamp: 1000 });
    // A null key, then an empty key with a value of one byte: of the right length if null took none.
    batch.set([1, 0, 2, 0], batch.length - 4);
    expect(() => [...decodeRecords(batch)]).toThrow(/a header without a key/);
    expect(walk(batch)).toMatchObject({ code: 'INVALID_RECORD' });
  });

  it('refuses a timestamp outside the bounds with its number and theirs; -1 is no timestamp', () => {
    const bounds = { timestampMin: 500, timestampMax: 2000 };
    const at = (...times: number[]) => walk(build(times.map((timestampMs) => ({ timestampMs }))), bounds);
    expect(at(500, 2000, -1)).toEqual({ maxTimestamp: 2000 });
    const refused = (index: number, ms: number): unknown => ({
      code: 'INVALID_TIMESTAMP',
      message: `record ${index} has timestamp ${ms}; the topic takes 500 to 2000 now`,
    });
    expect(at(600, 499)).toEqual(refused(1, 499));
    expect(at(2001, 600)).toEqual(refused(0, 2001));
    expect(at(600, -2)).toEqual(refused(1, -2));
  });

  it('where keys are required refuses the record without one; an empty key is a key', () => {
    const keyed = build([{ key: Buffer.from('k') }, { key: Buffer.alloc(0) }]);
    expect(walk(keyed, { requireKeys: true })).toEqual({ maxTimestamp: 1000 });
    expect(walk(build([{ key: Buffer.from('k') }, {}]), { requireKeys: true })).toEqual({
      code: 'INVALID_RECORD',
      message: 'record 1 has no key, and the topic is compacted by key (cleanup.policy): send it a key',
    });
  });
});

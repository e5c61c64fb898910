import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  batches,
  buildTransactionMarker,
  COMPRESSION_TYPES,
  controlTypeOf,
  decodeRecords,
  type NewRecord,
  producerBatchProblem,
  readBatchHeader,
  stampBatch,
  stampLogAppendTime,
  validateBatch,
} from '../../../src/log/record/index.ts';
import { stampCrc } from '../../../src/log/record/stamp-batch.ts';

const golden = (name: string): Buffer =>
  readFileSync(new URL(`../../golden/record/${name}.bin`, import.meta.url));
const bytes = (text: string): Buffer => Buffer.from(text);

/**
 * What test/golden/record/kafka-python-*.bin hold: written by kafka-python 3.0, which shares no code with
 * us.
 */
const GOLDEN_RECORDS: readonly NewRecord[] = [
  { timestampMs: 1_700_000_000_000, key: bytes('key'), value: bytes('value '.repeat(40)), headers: [] },
  {
    timestampMs: 1_700_000_000_005,
    value: bytes('x'.repeat(100)),
    headers: [{ key: 'h', value: bytes('v') }, { key: 'h' }, { key: 'ü', value: bytes('') }],
  },
  { timestampMs: 1_699_999_999_000, key: bytes('k3'), headers: [] },
  { timestampMs: 1_700_000_400_000, key: bytes(''), value: bytes(''), headers: [] },
];

function build(
  records: readonly NewRecord[],
  compression: (typeof COMPRESSION_TYPES)[number] = 'none',
): Uint8Array {
  const builder = new BatchBuilder({ compression });
  for (const record of records) builder.append(record);
  return builder.build();
}

describe('record batches against bytes of another implementation', () => {
  for (const type of COMPRESSION_TYPES) {
    it(`a batch in ${type} made by kafka-python decodes to its records`, () => {
      const batch = golden(`kafka-python-${type}`);
      expect(validateBatch(batch)).toBeUndefined();
      expect(readBatchHeader(batch)).toMatchObject({ codec: type, count: 4, lastOffset: 3, magic: 2 });
      expect([...decodeRecords(batch)]).toEqual(
        GOLDEN_RECORDS.map((record, offset) => ({ offset, ...record })),
      );
    });

    it(`a batch in ${type} of an earlier build still decodes`, () => {
      const batch = golden(`quorate-${type}`);
      expect(validateBatch(batch)).toBeUndefined();
      expect([...decodeRecords(batch)]).toEqual(
        GOLDEN_RECORDS.map((record, offset) => ({ offset, ...record })),
      );
      // What a codec writes may change with its library; the bytes around it may not.
      const ours = build(GOLDEN_RECORDS, type);
      expect(Buffer.from(ours).subarray(21, BATCH_HEADER_BYTES)).toEqual(
        batch.subarray(21, BATCH_HEADER_BYTES),
      );
    });
  }

  it('an uncompressed batch is the same, byte for byte, as the one of kafka-python', () => {
    const theirs = golden('kafka-python-none');
    const ours = build(GOLDEN_RECORDS);
    stampBatch(ours, { baseOffset: 0, leaderEpoch: readBatchHeader(theirs).leaderEpoch });
    expect(Buffer.from(ours).equals(theirs)).toBe(true);
  });

  it('producer id, epoch, sequence and the transactional bit stand where kafka-python puts them', () => {
    const theirs = golden('kafka-python-producer');
    const producer = { producerId: 4242, producerEpoch: 7, baseSequence: 2_147_483_640 };
    expect(readBatchHeader(theirs)).toMatchObject({ ...producer, isTransactional: true });
    const builder = new BatchBuilder({ compression: 'none', ...producer, transactional: true });
    builder.append({ timestampMs: 1_700_000_000_000, key: bytes('key'), value: bytes('value'), headers: [] });
    const ours = builder.build();
    stampBatch(ours, { baseOffset: 0, leaderEpoch: readBatchHeader(theirs).leaderEpoch });
    expect(Buffer.from(ours).equals(theirs)).toBe(true);
  });
});

const recordArbitrary = fc.record({
  timestampMs: fc.oneof(fc.integer({ min: 0, max: 2 ** 43 }), fc.constant(0), fc.constant(2 ** 52)),
  key: fc.option(fc.uint8Array({ maxLength: 70 })),
  value: fc.option(fc.uint8Array({ maxLength: 300 })),
  headers: fc.array(
    fc.oneof(
      fc.record({ key: fc.string({ unit: 'grapheme' }) }),
      fc.record({ key: fc.string(), value: fc.uint8Array({ maxLength: 70 }) }),
    ),
    { maxLength: 3 },
  ),
});

describe('record batches', () => {
  it('whatever is built decodes to the same records, in every codec', () => {
    fc.assert(
      fc.property(
        fc.array(recordArbitrary, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(...COMPRESSION_TYPES),
        (records, compression) => {
          const batch = build(records, compression);
          expect(validateBatch(batch)).toBeUndefined();
          expect(producerBatchProblem(readBatchHeader(batch))).toBeUndefined();
          const decoded = [...decodeRecords(batch)].map((record) => ({
            timestampMs: record.timestampMs,
            key: record.key === undefined ? null : new Uint8Array(record.key),
            value: record.value === undefined ? null : new Uint8Array(record.value),
            headers: record.headers.map(({ key, value }) =>
              value === undefined ? { key } : { key, value: new Uint8Array(value) },
            ),
          }));
          expect(decoded).toEqual(
            records.map(({ headers, ...record }) => ({ ...record, headers: headers.map((h) => ({ ...h })) })),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('offset and leader epoch are stamped without touching the CRC', () => {
    const batch = build(GOLDEN_RECORDS, 'lz4');
    const { crc } = readBatchHeader(batch);
    stampBatch(batch, { baseOffset: 2 ** 40 + 5, leaderEpoch: 77 });
    expect(validateBatch(batch)).toBeUndefined();
    expect(readBatchHeader(batch)).toMatchObject({ baseOffset: 2 ** 40 + 5, leaderEpoch: 77, crc });
    expect([...decodeRecords(batch)].map(({ offset }) => offset)).toEqual(
      [5, 6, 7, 8].map((x) => x + 2 ** 40),
    );
  });

  it('with the log append time all records bear the time of the broker and the CRC is right again', () => {
    const batch = build(GOLDEN_RECORDS);
    stampLogAppendTime(batch, 1_800_000_000_000);
    expect(validateBatch(batch)).toBeUndefined();
    expect(readBatchHeader(batch).timestampType).toBe('LogAppendTime');
    expect([...decodeRecords(batch)].map(({ timestampMs }) => timestampMs)).toEqual(
      Array(4).fill(1_800_000_000_000),
    );
  });

  it('a transaction marker is one control record of 78 bytes', () => {
    const marker = buildTransactionMarker({
      type: 'commit',
      producerId: 9,
      producerEpoch: 2,
      coordinatorEpoch: 3,
      timestampMs: 1000,
    });
    expect(marker.length).toBe(78);
    expect(readBatchHeader(marker)).toMatchObject({ attributes: 0x30, baseSequence: -1, producerId: 9 });
    expect(controlTypeOf(marker)).toBe('commit');
    expect(producerBatchProblem(readBatchHeader(marker))?.code).toBe('INVALID_RECORD');
  });

  it('batches back to back come out one by one, and a cut one is an error', () => {
    const two = Buffer.concat([build(GOLDEN_RECORDS), build(GOLDEN_RECORDS.slice(1), 'zstd')]);
    expect([...batches(two)].map(({ header }) => header.count)).toEqual([4, 3]);
    expect(() => [...batches(two.subarray(0, two.length - 1))]).toThrow(/a whole batch/);
  });
});

describe('damaged batches', () => {
  it('one flipped bit anywhere is refused by validation, but in what the leader stamps', () => {
    const batch = Buffer.from(build(GOLDEN_RECORDS));
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const at = bit >> 3;
      if (at < 8 || (at >= 12 && at < 16)) continue;
      batch[at]! ^= 1 << (bit & 7);
      expect(validateBatch(batch), `bit ${bit}`).toBeDefined();
      batch[at]! ^= 1 << (bit & 7);
    }
  });

  it('every cut of the bytes is refused', () => {
    const batch = build(GOLDEN_RECORDS);
    for (let length = 0; length < batch.length; length++)
      expect(validateBatch(batch.subarray(0, length))?.code).toBe('CORRUPT_MESSAGE');
  });

  it('records that lie about lengths and counts are refused, never misread', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(...COMPRESSION_TYPES),
        (n, byte, type) => {
          const batch = Buffer.from(build(GOLDEN_RECORDS, type));
          batch[BATCH_HEADER_BYTES - 4 + (n % (batch.length - BATCH_HEADER_BYTES + 4))] = byte;
          stampCrc(batch);
          let count = -1;
          try {
            count = [...decodeRecords(batch)].length;
          } catch (error) {
            expect(error).toMatchObject({ name: 'ApiError' });
          }
          if (count >= 0) expect(count).toBe(readBatchHeader(batch).count);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('bytes after the last record are refused', () => {
    const batch = Buffer.concat([build(GOLDEN_RECORDS), Buffer.from([0])]);
    batch.writeInt32BE(batch.length - 12, 8);
    stampCrc(batch);
    expect(validateBatch(batch)).toBeUndefined();
    expect(() => [...decodeRecords(batch)]).toThrow(/1 bytes follow the last record/);
  });

  for (const type of COMPRESSION_TYPES.filter((name) => name !== 'none')) {
    it(`a bomb in ${type} is refused with the limit in the message`, () => {
      const bomb = build([{ timestampMs: 0, value: Buffer.alloc(4_000_000), headers: [] }], type);
      expect(bomb.length).toBeLessThan(250_000);
      expect(() => [...decodeRecords(bomb, { inflatedBytesMax: 1_000_000 })]).toThrow(
        expect.objectContaining({ code: 'INVALID_RECORD', message: expect.stringContaining('1000000') }),
      );
      expect([...decodeRecords(bomb, { inflatedBytesMax: 4_000_100 })]).toHaveLength(1);
    });
  }

  it('a producer may not claim sparse offsets, a place in the log, an append time or an unknown codec', () => {
    const problem = (change: (batch: Buffer) => void): string | undefined => {
      const batch = Buffer.from(build(GOLDEN_RECORDS));
      change(batch);
      return producerBatchProblem(readBatchHeader(batch))?.code;
    };
    expect(problem(() => {})).toBeUndefined();
    expect(problem((batch) => batch.writeInt32BE(9, 23))).toBe('INVALID_RECORD');
    expect(problem((batch) => batch.writeInt32BE(5, 4))).toBe('INVALID_RECORD');
    expect(problem((batch) => batch.writeInt16BE(0x08, 21))).toBe('INVALID_TIMESTAMP');
    expect(problem((batch) => batch.writeInt16BE(0x20, 21))).toBe('INVALID_RECORD');
    expect(problem((batch) => batch.writeInt16BE(0x06, 21))).toBe('UNSUPPORTED_COMPRESSION_TYPE');
    expect(problem((batch) => batch.writeBigInt64BE(8n, 43))).toBe('INVALID_RECORD');
  });
});

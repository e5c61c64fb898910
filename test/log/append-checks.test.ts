import { describe, expect, it } from 'vitest';
import { checkProducedBatch, toStoredBatch } from '../../src/log/append/append-checks.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/index.ts';
import {
  BatchBuilder,
  COMPRESSION_TYPES,
  decodeRecords,
  type NewRecord,
  readBatchHeader,
  validateBatch,
} from '../../src/log/record/index.ts';
import { stampCrc } from '../../src/log/record/stamp-batch.ts';
import { batchOf, LogFixture } from './log-fixture.ts';

const NOW = 1_700_000_000_000;

function check(batch: Uint8Array, config: Partial<LogConfig> = {}, nowMs = NOW) {
  const whole = { ...DEFAULT_LOG_CONFIG, ...config };
  return toStoredBatch(batch, checkProducedBatch(batch, whole), whole, nowMs);
}

/** Code and words of the refusal, or 'taken'. */
function outcome(batch: Uint8Array, config: Partial<LogConfig> = {}): string {
  try {
    check(batch, config);
    return 'taken';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
}

/** A good batch with some header fields overwritten, its CRC right. */
function changed(change: (batch: Buffer) => void, options: Parameters<typeof batchOf>[1] = {}): Buffer {
  const batch = Buffer.from(batchOf(['a', 'b', 'c'], { timeMs: NOW, ...options }));
  change(batch);
  stampCrc(batch);
  return batch;
}

describe('the header of a produced batch', () => {
  const cases: Record<string, [(batch: Buffer) => void, RegExp]> = {
    'a negative count': [(b) => b.writeInt32BE(-1, 57), /^INVALID_RECORD/],
    'no records': [(b) => b.writeInt32BE(0, 57), /^INVALID_RECORD/],
    'more records than offsets': [(b) => b.writeInt32BE(4, 57), /^INVALID_RECORD/],
    'fewer records than offsets': [(b) => b.writeInt32BE(2, 57), /^INVALID_RECORD/],
    'a negative last offset delta': [(b) => b.writeInt32BE(-3, 23), /^INVALID_RECORD/],
    'a place in the log': [(b) => b.writeBigInt64BE(7n, 0), /^INVALID_RECORD/],
    'magic 0': [(b) => b.writeInt8(0, 16), /^UNSUPPORTED_FOR_MESSAGE_FORMAT/],
    'magic 1': [(b) => b.writeInt8(1, 16), /^UNSUPPORTED_FOR_MESSAGE_FORMAT/],
    'magic 3': [(b) => b.writeInt8(3, 16), /^UNSUPPORTED_VERSION/],
    'codec 5': [(b) => b.writeInt16BE(0x05, 21), /^UNSUPPORTED_COMPRESSION_TYPE/],
    'the log append time': [(b) => b.writeInt16BE(0x08, 21), /^INVALID_TIMESTAMP/],
    'the transactional bit': [(b) => b.writeInt16BE(0x10, 21), /^INVALID_TXN_STATE/],
    'the control bit': [(b) => b.writeInt16BE(0x20, 21), /^INVALID_RECORD.*control/],
    'a delete horizon': [(b) => b.writeInt16BE(0x40, 21), /^INVALID_RECORD.*horizon/],
    'attribute bit 7': [(b) => b.writeInt16BE(0x80, 21), /^INVALID_RECORD.*0x80/],
    'attribute bit 15': [(b) => b.writeInt16BE(-0x8000, 21), /^INVALID_RECORD.*0x8000/],
    'a producer without a sequence': [(b) => b.writeBigInt64BE(8n, 43), /^INVALID_RECORD/],
    'a base timestamp beyond 2^53': [(b) => b.writeBigInt64BE(2n ** 60n, 27), /^INVALID_TIMESTAMP: the base/],
  };
  for (const [name, [change, refusal]] of Object.entries(cases))
    it(`with ${name} is refused`, () => expect(outcome(changed(change))).toMatch(refusal));

  it('with a producer id that is none is refused, with an epoch of -1 too', () => {
    const producer = { producerId: 4, producerEpoch: 0, baseSequence: 0 };
    expect(outcome(batchOf(['a'], { ...producer, timeMs: NOW }))).toBe('taken');
    expect(outcome(changed((b) => b.writeInt16BE(-1, 51), producer))).toMatch(/^INVALID_RECORD.*epoch/);
    expect(outcome(changed((b) => b.writeBigInt64BE(-2n, 43), producer))).toMatch(/^INVALID_RECORD.*-2/);
    expect(outcome(changed((b) => b.writeBigInt64BE(2n ** 60n, 43), producer))).toMatch(/^INVALID_RECORD/);
  });
});

describe('the sequence of a producer', () => {
  it('goes on with 0 after 2^31 - 1, within a batch and between two', async () => {
    const { log } = await LogFixture.open();
    const send = (values: string[], baseSequence: number) =>
      log.appendAsLeader(batchOf(values, { producerId: 1, producerEpoch: 0, baseSequence }), {
        leaderEpoch: 0,
        nowMs: 5000,
      });
    const max = 2 ** 31 - 1;
    send(['a', 'b'], max - 2);
    expect(send(['c', 'd', 'e'], max)).toMatchObject({ firstOffset: 2, duplicate: false });
    expect(send(['c', 'd', 'e'], max)).toMatchObject({ firstOffset: 2, duplicate: true });
    expect(send(['f'], 2)).toMatchObject({ firstOffset: 5, duplicate: false });
    expect(() => send(['g'], 2 + 3)).toThrow(/must send sequence 3 next/);
  });
});

describe('the time of a record', () => {
  const at = (...timestamps: number[]): Uint8Array => {
    const builder = new BatchBuilder({ compression: 'none' });
    for (const timestampMs of timestamps) builder.append({ timestampMs, value: Buffer.from('v') });
    return builder.build();
  };

  it('may by default be any past one, and an hour ahead of the broker', () => {
    const hour = 3_600_000;
    expect(outcome(at(0, NOW, -1, NOW + hour))).toBe('taken');
    expect(outcome(at(NOW, NOW + hour + 1))).toBe(
      `INVALID_TIMESTAMP: record 1 has timestamp ${NOW + hour + 1}; the topic takes 0 to ${NOW + hour} now`,
    );
  });

  it('may be no further from the clock of the broker than the topic says, before and after', () => {
    const config = { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 10 };
    expect(outcome(at(NOW - 1000, NOW + 10), config)).toBe('taken');
    expect(outcome(at(NOW - 1001), config)).toMatch(/^INVALID_TIMESTAMP: record 0 has timestamp/);
    expect(outcome(at(NOW, NOW, NOW + 11), config)).toMatch(/^INVALID_TIMESTAMP: record 2 has timestamp/);
  });

  it('is the same law in every codec', () => {
    for (const compression of COMPRESSION_TYPES) {
      const late = changed(() => {}, { compression, timeMs: NOW + 4_000_000 });
      expect(outcome(late), compression).toMatch(/^INVALID_TIMESTAMP: record 0/);
    }
  });

  it('is not checked where the broker stamps its own, which every record then bears', () => {
    for (const compression of COMPRESSION_TYPES) {
      const late = changed(() => {}, { compression, timeMs: 2 ** 52 });
      const { bytes, maxTimestamp } = check(late, {
        timestampType: 'LogAppendTime',
        timestampBeforeMaxMs: 0,
        timestampAfterMaxMs: 0,
      });
      expect(maxTimestamp).toBe(NOW);
      expect([...decodeRecords(bytes)].map(({ timestampMs }) => timestampMs)).toEqual([NOW, NOW, NOW]);
    }
  });

  it('is what the header has as its maximum, whatever the producer claimed', () => {
    for (const compression of COMPRESSION_TYPES) {
      const honest = batchOf(['a', 'b', 'c'], { timeMs: NOW, compression });
      for (const claimed of [0n, -1n, BigInt(NOW) + 3n, 2n ** 62n]) {
        const { bytes, maxTimestamp } = check(
          changed((b) => b.writeBigInt64BE(claimed, 35), { compression }),
        );
        expect(maxTimestamp).toBe(NOW + 2);
        expect(Buffer.from(bytes).equals(honest), `${compression} ${claimed}`).toBe(true);
      }
    }
  });

  it('of an honest batch is left alone, and the bytes with it', () => {
    const batch = batchOf(['a', 'b'], { timeMs: NOW });
    const before = Buffer.from(batch);
    const { bytes } = check(batch);
    expect(bytes).toBe(batch);
    expect(before.equals(batch)).toBe(true);
  });
});

describe('the records of a produced batch', () => {
  it('are checked in every codec: a batch that no reader could open is not acknowledged', () => {
    for (const compression of COMPRESSION_TYPES) {
      // One more record than there are, header and offsets agreeing.
      const lying = changed(
        (b) => {
          b.writeInt32BE(4, 57);
          b.writeInt32BE(3, 23);
        },
        { compression },
      );
      expect(validateBatch(lying)).toBeUndefined();
      expect(outcome(lying), compression).toMatch(/^INVALID_RECORD: record 3 ends inside a varint/);
      const hiding = changed(
        (b) => {
          b.writeInt32BE(2, 57);
          b.writeInt32BE(1, 23);
        },
        { compression },
      );
      expect(outcome(hiding), compression).toMatch(/^INVALID_RECORD: \d+ bytes follow the last record/);
    }
  });

  it('that are refused leave the log as it was, its producers too', async () => {
    const fixture = await LogFixture.open();
    const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0, timeMs: 1000 };
    const lying = changed((b) => b.writeBigInt64BE(0n, 35), producer);
    lying[61 + 3] = 9;
    stampCrc(lying);
    expect(() => fixture.log.appendAsLeader(lying, { leaderEpoch: 0, nowMs: 5000 })).toThrow(
      /record 0 has offset -5/,
    );
    expect(fixture.log.logEndOffset).toBe(0);
    expect(fixture.append(['a'], producer)).toMatchObject({ firstOffset: 0, duplicate: false });
  });

  it('may not become in another codec what readers take for a bomb', () => {
    const batch = batchOf(['x'.repeat(17 * 1024 * 1024)], { timeMs: NOW });
    const config = { maxMessageBytes: 2 ** 25 };
    expect(outcome(batch, config)).toBe('taken');
    expect(outcome(batch, { ...config, compressionType: 'zstd' })).toMatch(
      /^INVALID_RECORD: in zstd the batch has \d+ bytes, which may hold 12582912, not 1782/,
    );
  });

  it('encoded anew keep all the header says but length, codec and CRC', () => {
    const records: NewRecord[] = [
      { timestampMs: NOW + 7, key: Buffer.from('k'), value: Buffer.from('value '.repeat(99)) },
      { timestampMs: NOW, value: null, headers: [{ key: 'h' }] },
    ];
    for (const from of COMPRESSION_TYPES) {
      for (const to of COMPRESSION_TYPES) {
        for (const timestampType of ['CreateTime', 'LogAppendTime'] as const) {
          const builder = new BatchBuilder({
            compression: from,
            producerId: 2 ** 40,
            producerEpoch: 3,
            baseSequence: 2 ** 31 - 1,
          });
          for (const record of records) builder.append(record);
          const sent = builder.build();
          const { bytes } = check(sent, { compressionType: to, timestampType }, NOW + 9);
          expect(validateBatch(bytes)).toBeUndefined();
          const header = readBatchHeader(bytes);
          const maxTimestamp = timestampType === 'LogAppendTime' ? NOW + 9 : NOW + 7;
          expect(header).toEqual({
            ...readBatchHeader(sent),
            codec: to,
            timestampType,
            attributes: COMPRESSION_TYPES.indexOf(to) | (timestampType === 'LogAppendTime' ? 8 : 0),
            maxTimestamp,
            crc: header.crc,
            sizeBytes: bytes.length,
            batchLength: bytes.length - 12,
          });
          const time = (ms: number): number => (timestampType === 'LogAppendTime' ? maxTimestamp : ms);
          expect([...decodeRecords(bytes)]).toMatchObject([
            { offset: 0, timestampMs: time(NOW + 7), key: Buffer.from('k') },
            { offset: 1, timestampMs: time(NOW), headers: [{ key: 'h' }] },
          ]);
        }
      }
    }
  });
});

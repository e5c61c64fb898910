import { describe, expect, it } from 'vitest';
import {
  BATCH_HEADER_BYTES,
  decodeRecords,
  RECORD_HEADERS_MAX,
  RecordCursor,
  readBatchHeader,
  walkRecords,
} from '../../../src/log/record/index.ts';
import { ANY, build } from './clear-batch.ts';

const cursorOf = (batch: Buffer) => RecordCursor.open(batch, readBatchHeader(batch));
const walk = (batch: Buffer) => walkRecords(batch, BATCH_HEADER_BYTES, readBatchHeader(batch), ANY);
const headers = (count: number) => Array.from({ length: count }, () => ({ key: '' }));

describe('the cursor over records', () => {
  it('says of each record where it lies and what it holds', () => {
    const cursor = cursorOf(
      build([
        { key: Buffer.from('k'), value: Buffer.from('v'), headers: [{ key: 'h', value: Buffer.from('x') }] },
        { timestampMs: 1003, value: Buffer.alloc(0), headers: [{ key: 'é' }] },
        {},
      ]),
    );
    const seen: unknown[] = [];
    for (let end = 0; cursor.next(); end = cursor.end) {
      expect(cursor.start).toBe(end);
      const { offset, timestampMs, key, value, left } = cursor;
      seen.push([offset, timestampMs, key?.toString(), value?.toString(), cursor.headers(), left]);
    }
    expect(seen).toEqual([
      [0, 1000, 'k', 'v', [{ key: 'h', value: Buffer.from('x') }], 2],
      [1, 1003, undefined, '', [{ key: 'é' }], 1],
      [2, 1000, undefined, undefined, [], 0],
    ]);
    expect(cursor.next()).toBe(false);
  });

  it('finds what is wrong where it stands, after the records before it', () => {
    const batch = build([{}, {}, {}]);
    // The second record of 7 bytes says it has 7 more.
    batch[BATCH_HEADER_BYTES + 7] = 14;
    const offsets: number[] = [];
    const read = () => {
      for (const { offset } of decodeRecords(batch)) offsets.push(offset);
    };
    expect(read).toThrow(/^the batch at offset 0 is not valid: record 1 /);
    expect(offsets).toEqual([0]);
  });

  it('does not find a last record that something follows', () => {
    const batch = build([{}, {}]);
    batch.writeInt32BE(1, 57);
    expect(() => cursorOf(batch).next()).toThrow(/7 bytes follow the last record/);
  });

  it('holds offsets to grow within the span of the batch, which may have gaps', () => {
    const third = BATCH_HEADER_BYTES + 2 * 7 + 3;
    const read = (delta: number, lastOffsetDelta = 4) => {
      const batch = build([{}, {}, {}]);
      batch.writeInt32BE(lastOffsetDelta, 23);
      batch[third] = 2 * delta;
      return [...decodeRecords(batch)].map(({ offset }) => offset);
    };
    expect(read(4)).toEqual([0, 1, 4]);
    expect(() => read(1)).toThrow(/record 2 has offset 1, not one above 1 and up to 4/);
    expect(() => read(5)).toThrow(/record 2 has offset 5/);
  });

  it('refuses a record of more headers than a reader takes, as the leader does', () => {
    expect(walk(build([{ headers: headers(RECORD_HEADERS_MAX) }]))).toEqual({ maxTimestamp: 1000 });
    const batch = build([{ headers: headers(RECORD_HEADERS_MAX + 1) }]);
    expect(() => cursorOf(batch).next()).toThrow(/record 0 has 10001 headers, more than 10000/);
    expect(walk(batch)).toMatchObject({
      code: 'INVALID_RECORD',
      message: 'record 0 has 10001 headers, more than 10000',
    });
  });
});

import { describe, expect, it } from 'vitest';
import { OpenedBatch } from '../../../src/broker/fetch/opened-batch.ts';
import { PlainBudget } from '../../../src/broker/fetch/plain-budget.ts';
import { type PlainRead, plainRecords } from '../../../src/broker/fetch/plain-records.ts';
import {
  BatchBuilder,
  type CompressionType,
  type NewRecord,
  readBatchHeader,
  stampBatch,
} from '../../../src/log/record/index.ts';

const MIB = 1024 * 1024;

function batch(
  baseOffset: number,
  records: readonly Partial<NewRecord>[],
  compression: CompressionType = 'none',
): Uint8Array {
  const builder = new BatchBuilder({ compression });
  for (const record of records) builder.append({ timestampMs: 1, ...record });
  const bytes = builder.build();
  stampBatch(bytes, { baseOffset, leaderEpoch: 0 });
  return bytes;
}

const values = (count: number, bytes = 1): Partial<NewRecord>[] =>
  Array.from({ length: count }, () => ({ value: Buffer.alloc(bytes) }));

const readOf = (changes: Partial<PlainRead> = {}): PlainRead => ({
  ...{ topic: 't', partition: 0, fetchOffset: 0, maxBytes: MIB },
  ...{ budget: new PlainBudget(MIB), opened: new OpenedBatch() },
  ...changes,
});

const offsetsOf = (stored: readonly Uint8Array[], changes: Partial<PlainRead> = {}): number[] =>
  plainRecords(stored, readOf(changes)).map(({ offset }) => offset ?? -1);

describe('records in clear', () => {
  it('end inside of a batch when the bytes of the partition are spent, but never before the first', () => {
    const stored = [batch(0, values(5, 100)), batch(5, values(5, 100))];
    expect(offsetsOf(stored, { maxBytes: 1 })).toEqual([0]);
    expect(offsetsOf(stored, { maxBytes: 600 })).toEqual([0, 1, 2]);
    expect(offsetsOf(stored, { maxBytes: 600, fetchOffset: 3 })).toEqual([3, 4, 5]);
  });

  it('share the bytes of the request among its partitions; the first record of all always fits', () => {
    const budget = new PlainBudget(400);
    const stored = [batch(0, values(5, 100))];
    expect(offsetsOf(stored, { budget })).toEqual([0, 1]);
    expect(budget.isSpent).toBe(true);
    expect(offsetsOf(stored, { budget })).toEqual([]);
    expect(offsetsOf(stored, { budget: new PlainBudget(1) })).toEqual([0]);
  });

  it('are at most ten thousand in a reply, their headers counted', () => {
    const most = { maxBytes: 2 ** 40, budget: new PlainBudget(2 ** 40) };
    expect(offsetsOf([batch(0, values(25_000), 'zstd')], most)).toHaveLength(10_000);
    const headers = Array.from({ length: 3999 }, () => ({ key: '' }));
    const rich = [batch(0, Array(5).fill({ headers }), 'zstd')];
    expect(offsetsOf(rich, { ...most, budget: new PlainBudget(2 ** 40) })).toEqual([0, 1]);
  });

  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
    it(`come each once when every reply begins where the last one ended, in ${compression}`, () => {
      const stored = [batch(0, values(50), compression), batch(50, values(30), compression)];
      const opened = new OpenedBatch();
      const seen: number[] = [];
      for (let fetchOffset = 0; fetchOffset < 80; fetchOffset = (seen.at(-1) ?? 80) + 1)
        seen.push(...offsetsOf(stored, { fetchOffset, maxBytes: 500, opened }));
      expect(seen).toEqual(Array.from({ length: 80 }, (_, i) => i));
    });

  it('of a compressed batch lie in memory of their own', () => {
    const big = [{ value: Buffer.from('a'), key: Buffer.from('k') }, { value: Buffer.alloc(MIB) }];
    const headers = [{ key: 'h', value: Buffer.from('x') }, { key: 'none' }];
    const [record] = plainRecords(
      [batch(0, [{ ...big[0], headers }, {}, ...big], 'lz4')],
      readOf({ maxBytes: 1 }),
    );
    expect(record).toEqual({ offset: 0, timestampMs: 1, ...big[0], headers });
    for (const bytes of [record?.key, record?.value, record?.headers[0]?.value])
      expect(bytes?.buffer.byteLength).toBeLessThan(MIB);
  });
});

describe('the batch that a reply ended inside of', () => {
  const bytes = batch(0, values(9), 'zstd');
  const view = { header: readBatchHeader(bytes), bytes };
  const at = (fetchOffset: number, topic = 't') => ({ topic, partition: 0, fetchOffset });

  function kept(): { opened: OpenedBatch; record: ReturnType<OpenedBatch['open']> } {
    const opened = new OpenedBatch();
    const record = opened.open(view, at(4));
    if (record !== undefined) opened.keep(view.header, at(4), record);
    return { opened, record };
  }

  it('is not inflated again for who goes on there', () => {
    const { opened, record } = kept();
    expect(record?.offset).toBe(4);
    expect(opened.open(view, at(4))).toBe(record);
    expect(opened.open(view, at(4))).not.toBe(record);
  });

  it('is opened anew at another place, or when it is another batch', () => {
    const other = batch(0, values(8), 'zstd');
    for (const [which, place] of [
      [view, at(5)],
      [view, at(4, 'u')],
      [{ header: readBatchHeader(other), bytes: other }, at(4)],
    ] as const) {
      const { opened, record } = kept();
      const found = opened.open(which, place);
      expect(found).not.toBe(record);
      expect(found?.offset).toBe(place.fetchOffset);
      expect(opened.open(view, at(4))).not.toBe(record);
    }
  });
});

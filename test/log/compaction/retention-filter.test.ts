import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { KeyMap } from '../../../src/log/compaction/core/key-map.ts';
import { RetentionFilter, type RetentionRules } from '../../../src/log/compaction/core/retention-filter.ts';
import { KeyMapBuilder } from '../../../src/log/compaction/map-keys.ts';
import {
  BatchBuilder,
  type BatchBuilderOptions,
  buildTransactionMarker,
  COMPRESSION_TYPES,
  decodeRecords,
  readBatchHeader,
  stampBatch,
  validateBatch,
} from '../../../src/log/record/index.ts';

const SECRET = new SeededRandom(3).bytes(16);
const HOUR_MS = 3_600_000;

interface Row {
  readonly key?: string;
  readonly value?: string;
  readonly timestampMs?: number;
}

function batchAt(
  baseOffset: number,
  rows: readonly Row[],
  options: Partial<BatchBuilderOptions> = {},
  epoch = 0,
) {
  const builder = new BatchBuilder({ compression: 'none', ...options });
  for (const [i, { key, value, timestampMs }] of rows.entries())
    builder.append({
      key: key === undefined ? null : Buffer.from(key),
      value: value === undefined ? null : Buffer.from(value),
      headers: [{ key: 'h', value: Buffer.from('x') }, { key: 'h' }],
      timestampMs: timestampMs ?? 5000 + i * 1000,
    });
  const bytes = builder.build();
  stampBatch(bytes, { baseOffset, leaderEpoch: epoch });
  return bytes;
}

/** A filter after a map of `all`; `keeps`: the batch as it stays. */
function cleaning(all: readonly Uint8Array[], rules: Partial<RetentionRules> = {}) {
  const endOffset = Math.max(...all.map((batch) => readBatchHeader(batch).lastOffset + 1));
  const { firstDirtyOffset = 0 } = rules;
  const builder = new KeyMapBuilder({ firstDirtyOffset, endOffset }, 100_000, SECRET);
  for (const batch of all) builder.add({ header: readBatchHeader(batch), bytes: batch });
  const filter = new RetentionFilter({
    map: builder.map,
    logStartOffset: 0,
    firstDirtyOffset,
    mappedEnd: builder.end,
    producerBatches: new Set(),
    nowMs: 10_000,
    deleteRetentionMs: HOUR_MS,
    ...rules,
  });
  const keeps = (batch: Uint8Array, isLast = false) => filter.filter(batch, readBatchHeader(batch), isLast);
  // So that the epoch of the next batch has begun before.
  keeps(batchAt(0, []));
  return { filter, keeps };
}

const offsetsOf = (batch: Uint8Array | undefined) =>
  [...decodeRecords(batch ?? batchAt(0, []))].map(({ offset }) => offset);

describe('what a cleaning keeps', () => {
  for (const compression of COMPRESSION_TYPES)
    it(`is the last record of each key, as it was, in a batch that is as it was, ${compression}`, () => {
      const identity = { producerId: 9, producerEpoch: 2, baseSequence: 30 };
      const rows = ['a', 'b', 'a', 'c'].map((key, i) => ({ key, value: `${key}${i}` }));
      const batch = batchAt(40, rows, { compression, ...identity }, 6);
      const later = batchAt(44, [{ key: 'c', value: 'new' }], {}, 6);
      const { keeps } = cleaning([batch, later]);
      const kept = keeps(batch);
      expect(kept).toBeDefined();
      if (kept === undefined) return;
      expect(validateBatch(kept)).toBeUndefined();
      expect([...decodeRecords(kept)]).toEqual(
        [...decodeRecords(batch)].filter(({ offset }) => [41, 42].includes(offset)),
      );
      const { crc: _, batchLength: __, sizeBytes: ___, ...header } = readBatchHeader(batch);
      expect(readBatchHeader(kept)).toMatchObject({ ...header, count: 2, maxTimestamp: 7000 });
    });

  it('is the same memory when nothing goes', () => {
    const batch = batchAt(0, [{ key: 'a', value: '1' }], { compression: 'gzip' });
    expect(cleaning([batch]).keeps(batch)).toBe(batch);
  });

  it('is nothing of a batch without last records', () => {
    const batch = batchAt(0, [{ key: 'a', value: '1' }], {
      producerId: 4,
      producerEpoch: 0,
      baseSequence: 0,
    });
    expect(cleaning([batch, batchAt(1, [{ key: 'a', value: '2' }])]).keeps(batch)).toBeUndefined();
  });

  it('is the header of one that begins an epoch, knows a repetition, or ends its segment', () => {
    const identity = { producerId: 4, producerEpoch: 1, baseSequence: 7 };
    const rows = [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ];
    const batch = batchAt(10, rows, { ...identity, compression: 'zstd' }, 3);
    const later = batchAt(12, [{ key: 'a', value: '3' }], {}, 3);
    const empty = {
      ...{ baseOffset: 10, lastOffset: 11, count: 0, sizeBytes: 61, codec: 'none', leaderEpoch: 3 },
      ...{ producerId: 4, producerEpoch: 1, baseSequence: 7, maxTimestamp: 6000 },
    };
    const check = (kept: Uint8Array | undefined) => {
      expect(validateBatch(kept ?? new Uint8Array())).toBeUndefined();
      expect(readBatchHeader(kept ?? new Uint8Array(61))).toMatchObject(empty);
      // And stays so, until the reason is gone.
      return kept ?? new Uint8Array();
    };
    const begins = check(cleaning([batch, later]).keeps(batch));
    check(cleaning([batchAt(0, []), begins, later]).keeps(begins));
    const sameEpoch = () => {
      const made = cleaning([batch, later]);
      made.keeps(batchAt(9, [], {}, 3));
      return made;
    };
    check(sameEpoch().keeps(batch, true));
    expect(sameEpoch().keeps(begins)).toBeUndefined();
    const known = cleaning([batch, later], { producerBatches: new Set([11]) });
    known.keeps(batchAt(9, [], {}, 3));
    check(known.keeps(batch));
  });

  it('is a tombstone until its horizon, which the first cleaning sets', () => {
    const rows = [
      { key: 'a', value: '1', timestampMs: 4000 },
      { key: 'a', timestampMs: 9000 },
      { key: 'b', value: 'x' },
    ];
    const batch = batchAt(0, rows);
    const first = cleaning([batch]).keeps(batch);
    expect(first).toBeDefined();
    if (first === undefined) return;
    expect(validateBatch(first)).toBeUndefined();
    expect(readBatchHeader(first)).toMatchObject({ hasDeleteHorizon: true, baseTimestamp: 10_000 + HOUR_MS });
    expect([...decodeRecords(first)]).toEqual([...decodeRecords(batch)].slice(1));
    const again = (nowMs: number) =>
      cleaning([first], { nowMs, firstDirtyOffset: 3, mappedEnd: 3 }).keeps(first);
    expect(again(9_999 + HOUR_MS)).toBe(first);
    expect([...decodeRecords(again(10_000 + HOUR_MS) ?? batch)]).toEqual([...decodeRecords(batch)].slice(2));
  });

  it('sets no horizon beyond what is mapped, and notices a clean section that was never cleaned', () => {
    const batch = batchAt(0, [{ key: 'a' }]);
    const beyond = cleaning([batch], { mappedEnd: 0 });
    expect(beyond.keeps(batch)).toBe(batch);
    expect(beyond.filter.isDirtyBelow).toBe(false);
    const below = cleaning([batch], { firstDirtyOffset: 1, mappedEnd: 1 });
    expect(below.keeps(batch)).toBe(batch);
    expect(below.filter.isDirtyBelow).toBe(true);
  });

  it('is everything beyond what is mapped', () => {
    const expired = cleaning([batchAt(0, [{ key: 'a' }, { key: 'b', value: '1' }])], {
      deleteRetentionMs: -1,
    });
    const batch = expired.keeps(batchAt(0, [{ key: 'a' }, { key: 'b', value: '1' }]));
    expect(readBatchHeader(batch ?? new Uint8Array(61)).hasDeleteHorizon).toBe(true);
    const rules = { map: new KeyMap(1000, 10, SECRET), mappedEnd: 0 };
    expect(batch !== undefined && cleaning([batch], rules).keeps(batch)).toBe(batch);
  });

  it('is nothing below the log start', () => {
    const batch = batchAt(0, [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    expect(offsetsOf(cleaning([batch], { logStartOffset: 1, firstDirtyOffset: 1 }).keeps(batch))).toEqual([
      1,
    ]);
  });

  it('is no record without a key, and says how many went', () => {
    const batch = batchAt(0, [{ value: '1' }, { key: '', value: '2' }]);
    const { filter, keeps } = cleaning([batch]);
    expect(offsetsOf(keeps(batch))).toEqual([1]);
    expect(filter.keylessDropped).toBe(1);
  });

  it('is every control batch and batch of a transaction, and they replace nothing', () => {
    const old = batchAt(0, [{ key: 'a', value: '1' }]);
    const identity = { producerId: 1, producerEpoch: 0, baseSequence: 0 };
    const inside = batchAt(1, [{ key: 'a', value: '2' }], { transactional: true, ...identity });
    const marker = buildTransactionMarker({
      ...{ type: 'abort', producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 1 },
    });
    stampBatch(marker, { baseOffset: 2, leaderEpoch: 0 });
    const newer = batchAt(3, [{ key: 'b', value: '3' }]);
    const { keeps } = cleaning([old, inside, marker, newer]);
    for (const batch of [old, inside, marker, newer]) expect(keeps(batch)).toBe(batch);
  });

  it('is a batch that cannot be opened, and nothing gives way to what is in it', () => {
    const old = batchAt(0, [{ key: 'a', value: '1' }]);
    const broken = batchAt(1, [
      { key: 'a', value: '2' },
      { key: 'b', value: '3' },
    ]);
    // The second record says it is longer than it is.
    const second = 61 + 1 + (broken[61] ?? 0) / 2;
    broken[second] = (broken[second] ?? 0) + 2;
    expect(() => [...decodeRecords(broken)]).toThrow();
    const { filter, keeps } = cleaning([old, broken]);
    expect(keeps(old)).toBe(old);
    expect(keeps(broken)).toBe(broken);
    expect(filter.unreadable).toBe(1);
  });

  it('bears the time of the append when the broker stamps it', () => {
    const rows = [{ key: 'a', value: '1' }, { key: 'a', value: '2' }, { key: 'b' }];
    const batch = batchAt(0, rows, { timestampType: 'LogAppendTime' });
    const kept = cleaning([batch]).keeps(batch);
    expect([...decodeRecords(kept ?? new Uint8Array())]).toEqual([...decodeRecords(batch)].slice(1));
  });
});

describe('the keys of the dirty section', () => {
  it('are those of whole batches, as many as there is room for', () => {
    const batches = [0, 2, 4].map((base) =>
      batchAt(base, [
        { key: `k${base}`, value: '1' },
        { key: `k${base + 1}`, value: '1' },
      ]),
    );
    const builder = new KeyMapBuilder({ firstDirtyOffset: 1, endOffset: 6 }, 160, SECRET);
    expect(builder.map.capacity).toBe(4);
    const taken = batches.map((bytes) => builder.add({ header: readBatchHeader(bytes), bytes }));
    expect(taken).toEqual([true, true, false]);
    expect(builder.end).toBe(4);
    // The record below the first dirty offset replaces nothing.
    expect(builder.map.get(Buffer.from('k0'), 0, 2)).toBe(-1);
    expect(builder.map.get(Buffer.from('k1'), 0, 2)).toBe(1);
  });
});

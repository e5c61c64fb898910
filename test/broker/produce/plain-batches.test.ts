import { describe, expect, it } from 'vitest';
import { KeylessTurns, type PlainTopic, plainBatches } from '../../../src/broker/produce/plain-batches.ts';
import { decodeRecords, partitionForKey, validateBatch } from '../../../src/log/record/index.ts';
import type { PlainProduce, PlainRecord } from '../../../src/rpc/api/index.ts';

const record = (value: string, key?: string): PlainRecord => ({
  headers: [],
  value: Buffer.from(value),
  ...(key === undefined ? {} : { key: Buffer.from(key) }),
});

function make(entries: PlainProduce[], known: Partial<PlainTopic> = {}, turns = new KeylessTurns()) {
  const topic = { partitions: 4, hasLeader: () => true, ...known };
  return plainBatches(entries, (name) => (name === 't' ? topic : undefined), turns, 77);
}

describe('plain records', () => {
  it('with a key go where murmur2 of the key says, in one batch per partition', () => {
    const keys = ['a', 'b', 'c', 'd', 'a', 'b'];
    const { batches } = make([{ topic: 't', records: keys.map((key) => record(key, key)) }]);
    expect(new Set(batches.map(({ partition }) => partition)).size).toBe(batches.length);
    for (const { partition, batch } of batches) {
      expect(validateBatch(batch)).toBeUndefined();
      for (const { key } of decodeRecords(batch))
        expect(partitionForKey(key ?? Buffer.of(), 4)).toBe(partition);
    }
  });

  it('keep their order within a partition', () => {
    const records = [...'abcdef'].map((value) => record(value, 'same'));
    const { batches } = make([
      { topic: 't', records: records.slice(0, 3) },
      { topic: 't', records: records.slice(3) },
    ]);
    expect(batches).toHaveLength(1);
    const values = [...decodeRecords(batches[0]?.batch ?? Buffer.of())].map(({ value }) => String(value));
    expect(values.join('')).toBe('abcdef');
  });

  it('without a key stay together, and the next entry goes to the next partition', () => {
    const turns = new KeylessTurns();
    const entry = { topic: 't', records: [record('a'), record('b')] };
    const went = [1, 2, 3, 4, 5].map(() => make([entry], {}, turns).batches.map((one) => one.partition));
    expect(went).toEqual([[0], [1], [2], [3], [0]]);
  });

  it('without a key avoid partitions without a leader', () => {
    const turns = new KeylessTurns();
    const hasLeader = (partition: number): boolean => partition % 2 === 1;
    const entry = { topic: 't', records: [record('a')] };
    const went = [1, 2, 3].map(() => make([entry], { hasLeader }, turns).batches[0]?.partition);
    expect(went).toEqual([1, 3, 1]);
  });

  it('get the time of the broker unless they bring their own', () => {
    const records = [record('a'), { ...record('b'), timestampMs: 5 }];
    const { batches } = make([{ topic: 't', partition: 2, records }]);
    const times = [...decodeRecords(batches[0]?.batch ?? Buffer.of())].map(({ timestampMs }) => timestampMs);
    expect(times).toEqual([77, 5]);
  });

  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', { topic: 'other', records: [record('a')] }],
    ['INVALID_TOPIC_EXCEPTION', { topic: '../x', records: [record('a')] }],
    ['UNKNOWN_TOPIC_OR_PARTITION', { topic: 't', partition: 4, records: [record('a')] }],
    ['UNKNOWN_TOPIC_OR_PARTITION', { topic: 't', partition: -1, records: [record('a')] }],
    ['INVALID_RECORD', { topic: 't', records: [] }],
    ['INVALID_TIMESTAMP', { topic: 't', records: [{ ...record('a'), timestampMs: -5 }] }],
  ] as const)('are refused with %s', (error, entry) => {
    const { batches, refused } = make([entry, { topic: 't', records: [record('fine')] }]);
    expect(refused).toMatchObject([{ error, topic: entry.topic }]);
    expect(batches).toHaveLength(1);
  });
});

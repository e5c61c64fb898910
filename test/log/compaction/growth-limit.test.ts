import { describe, expect, it } from 'vitest';
import { GrowthLimit } from '../../../src/log/compaction/core/growth-limit.ts';
import { OffsetIndex } from '../../../src/log/segment/offset-index.ts';

const bytes = (length: number) => new Uint8Array(length);

describe('a group of segments that is written anew', () => {
  it('never becomes larger than a segment can be: a batch that would make it so stays as it was', () => {
    const limit = new GrowthLimit(100, 110);
    const [batch, grown, more] = [bytes(20), bytes(28), bytes(23)];
    expect(limit.choose(batch, grown)).toBe(grown);
    expect(limit.choose(batch, more)).toBe(batch);
    expect(limit.choose(batch, bytes(22))).toHaveLength(22);
  });

  it('may grow again by what was dropped before', () => {
    const limit = new GrowthLimit(100, 100);
    expect(limit.choose(bytes(20), undefined)).toBeUndefined();
    expect(limit.choose(bytes(30), bytes(25))).toHaveLength(25);
    expect(limit.choose(bytes(25), bytes(50))).toHaveLength(50);
    expect(limit.choose(bytes(25), bytes(26))).toHaveLength(25);
  });

  it('that is too large already may shrink only', () => {
    const limit = new GrowthLimit(200, 100);
    expect(limit.choose(bytes(20), bytes(21))).toHaveLength(20);
    expect(limit.choose(bytes(20), bytes(19))).toHaveLength(19);
    expect(limit.choose(bytes(20), bytes(20))).toHaveLength(20);
  });

  it('ends below 2 GiB, where positions in an index end', () => {
    const limit = new GrowthLimit(2 ** 31 - 2);
    expect(limit.choose(bytes(20), bytes(21))).toHaveLength(21);
    expect(limit.choose(bytes(20), bytes(21))).toHaveLength(20);
    const index = new OffsetIndex(0);
    index.append(10, 2 ** 31 - 1);
    index.append(11, 2 ** 31);
    index.append(2 ** 31, 5);
    expect([index.count, index.find(2 ** 31)]).toEqual([1, { offset: 10, position: 2 ** 31 - 1 }]);
  });
});

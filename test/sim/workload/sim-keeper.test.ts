import { describe, expect, it } from 'vitest';
import { judgeNewest } from '../../../src/testing/sim/cluster/workload/sim-keeper.ts';

describe('the newest value of a key', () => {
  const judge = (kept: Parameters<typeof judgeNewest>[2], found: Parameters<typeof judgeNewest>[3]) => () =>
    judgeNewest('t', 'k-0', kept, found);

  it('is the one that was acknowledged last, or a newer one', () => {
    expect(judge({ offset: 5, version: 2 }, { offset: 5, version: 2 })).not.toThrow();
    expect(judge({ offset: 5, version: 2 }, { offset: 9, version: 4 })).not.toThrow();
    expect(judge({ offset: 5, version: undefined }, { offset: 5, version: undefined })).not.toThrow();
    expect(judge({ offset: 5, version: undefined }, { offset: 9, version: 4 })).not.toThrow();
  });

  it.each([
    ['it is gone', { offset: 5, version: 2 }, undefined],
    ['an older one came back', { offset: 5, version: 2 }, { offset: 3, version: 1 }],
    ['another one is in its place', { offset: 5, version: 2 }, { offset: 5, version: 3 }],
    ['a deletion is undone', { offset: 5, version: undefined }, { offset: 3, version: 1 }],
  ])('does not stay when %s', (_what, kept, found) => {
    expect(judge(kept, found)).toThrow('the newest value of a key stays');
  });
});

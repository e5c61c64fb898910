import { describe, expect, it } from 'vitest';
import { decideReset } from '../../../src/client/consumer/offset-reset.ts';

const log = { first: 100, end: 200, seenEnd: 200 };

describe('offset reset', () => {
  it('stays when the partition holds the position after all, its end included', () => {
    for (const position of [100, 150, 200])
      expect(decideReset({ ...log, position, reset: 'none' })).toEqual({ kind: 'stay' });
  });

  it('fails without a choice', () => {
    for (const position of [-5, 99, 201])
      expect(decideReset({ ...log, position, reset: 'none' })).toEqual({ kind: 'fail' });
  });

  it('goes to the chosen end of the log, below its start though its end was seen beyond', () => {
    expect(decideReset({ ...log, position: 50, reset: 'earliest' })).toMatchObject({ offset: 100 });
    expect(decideReset({ ...log, position: 50, reset: 'latest' })).toMatchObject({ offset: 200 });
    expect(decideReset({ ...log, position: 500, reset: 'earliest' })).toMatchObject({ offset: 100 });
  });

  it('goes to the end when the log lost what the reader has read', () => {
    const cut = { ...log, seenEnd: 250, position: 240 };
    expect(decideReset({ ...cut, reset: 'earliest' })).toMatchObject({ offset: 200 });
    expect(decideReset({ ...cut, reset: 'none' })).toEqual({ kind: 'fail' });
  });
});

import { expect, it } from 'vitest';
import { counted } from '../../src/cli/output.ts';

it('one of a thing is not many', () => {
  expect([0, 1, 2, 10_000].map((count) => counted(count, 'record'))).toEqual([
    '0 records',
    '1 record',
    '2 records',
    '10000 records',
  ]);
});

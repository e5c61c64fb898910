import fc from 'fast-check';
import { expect, it } from 'vitest';
import { successionDelayMs } from '../../../src/raft/core/suspicion.ts';
import { majorityOffset, VoterSet } from '../../../src/raft/core/voter-set.ts';
import { key } from './fixture.ts';

it('any two majorities share a voter', () => {
  for (let voters = 1; voters <= 9; voters++) {
    const { majority } = new VoterSet(Array.from({ length: voters }, (_, index) => key(index + 1)));
    expect(2 * majority).toBeGreaterThan(voters);
    expect(2 * (majority - 1)).toBeLessThanOrEqual(voters);
  }
});

it('the majority offset is the largest that a majority has reached', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 20 }), { minLength: 1, maxLength: 9 }), (offsets) => {
      const majority = Math.floor(offsets.length / 2) + 1;
      const reached = (offset: number): boolean =>
        offsets.filter((held) => held >= offset).length >= majority;
      const result = majorityOffset(offsets);
      expect(reached(result)).toBe(true);
      expect(reached(result + 1)).toBe(false);
    }),
  );
});

it('a voter is a node with its disk', () => {
  const voters = new VoterSet([key(1), key(2)]);
  expect(voters.has(key(1))).toBe(true);
  expect(voters.has(key(1, 'other'))).toBe(false);
});

it('successors start one after another, whoever is not named last', () => {
  expect([0, 1, 2, 3].map((position) => successionDelayMs(position, 4, 800))).toEqual([0, 100, 200, 400]);
  expect(successionDelayMs(-1, 4, 800)).toBe(800);
});

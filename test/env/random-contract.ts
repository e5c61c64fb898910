import { expect, it } from 'vitest';
import type { Random } from '../../src/base/index.ts';

const DRAWS = 20_000;

/** What every `Random` promises: the ranges exactly, uniformity loosely. */
export function randomContract(make: () => Random): void {
  it('floats lie in [0, 1), with a mean of a half', () => {
    const random = make();
    let sum = 0;
    for (let i = 0; i < DRAWS; i++) {
      const value = random.float();
      expect(value >= 0 && value < 1).toBe(true);
      sum += value;
    }
    expect(Math.abs(sum / DRAWS - 0.5)).toBeLessThan(0.02);
  });

  it('integers lie in [min, max) and each of them comes', () => {
    const random = make();
    const counts = new Map<number, number>();
    for (let i = 0; i < DRAWS; i++) {
      const value = random.integer(-3, 5);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2, 3, 4]);
    for (const count of counts.values()) expect(Math.abs(count - DRAWS / 8)).toBeLessThan(DRAWS / 40);
    expect(random.integer(7, 8)).toBe(7);
  });

  it('bytes have the length asked for, use all values, and are not shared between calls', () => {
    const random = make();
    expect(random.bytes(0)).toHaveLength(0);
    const some = random.bytes(16);
    const kept = [...some];
    for (let i = 0; i < 1000; i++) random.bytes(16);
    expect([...some]).toEqual(kept);
    expect(new Set(random.bytes(10_000)).size).toBe(256);
  });
}

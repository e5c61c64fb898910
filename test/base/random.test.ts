import { describe, expect, it } from 'vitest';
import { SeededRandom, shuffle } from '../../src/base/index.ts';

const draws = (random: SeededRandom, count = 5): number[] =>
  Array.from({ length: count }, () => random.uint32());

describe('a seeded random', () => {
  it('draws the same numbers for the same seed and salt, on every machine, for ever', () => {
    expect(draws(new SeededRandom(1))).toEqual(draws(new SeededRandom(1)));
    expect(draws(new SeededRandom(1))).toMatchInlineSnapshot(`
      [
        2442144158,
        3238099751,
        3819917871,
        2104621829,
        2021136066,
      ]
    `);
    expect(draws(new SeededRandom(1, 'network'))).toMatchInlineSnapshot(`
      [
        3184146865,
        91914807,
        4162565119,
        381129036,
        3857265582,
      ]
    `);
  });

  it('draws other numbers for another seed or salt, also for seeds beyond 32 bits', () => {
    const seeds = [0, 1, 2, 3, 100, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1];
    const salts = ['', 'network', 'disk', 'schedule', 'node-1', 'node-2'];
    const firsts = seeds.flatMap((seed) => salts.map((salt) => new SeededRandom(seed, salt).float()));
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('does not shift one stream when another is drawn from', () => {
    const [network, disk] = [new SeededRandom(1, 'network'), new SeededRandom(1, 'disk')];
    const alone = draws(new SeededRandom(1, 'disk'));
    draws(network, 100);
    expect(draws(disk)).toEqual(alone);
  });

  it('never gets stuck at zero', () => {
    for (let seed = 0; seed < 200; seed++)
      expect(new Set(draws(new SeededRandom(seed), 20)).size).toBeGreaterThan(15);
  });
});

describe('shuffle', () => {
  it('keeps every item and makes every order about equally often', () => {
    const random = new SeededRandom(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('of nothing and of one is the same', () => {
    const random = new SeededRandom(3);
    expect(shuffle([], random)).toEqual([]);
    expect(shuffle([1], random)).toEqual([1]);
  });
});

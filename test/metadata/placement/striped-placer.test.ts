import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { placementProblem, placeReplicas, type UsableBroker } from '../../../src/metadata/placement/index.ts';

const cluster = fc
  .array(fc.record({ rack: fc.constantFrom('a', 'b', 'c', undefined), fenced: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((brokers): UsableBroker[] => brokers.map((broker, id) => ({ id, ...broker })))
  .filter((brokers) => brokers.some(({ fenced }) => !fenced));

const placement = fc
  .record({ brokers: cluster, partitions: fc.integer({ min: 1, max: 60 }), seed: fc.integer() })
  .chain((setup) =>
    fc.integer({ min: 1, max: setup.brokers.length }).map((factor) => ({
      ...setup,
      factor,
      replicas: placeReplicas(setup.brokers, setup.partitions, factor, new SeededRandom(setup.seed)),
    })),
  );

const racksOf = (brokers: UsableBroker[], ids: readonly number[]) => ids.map((id) => brokers[id]?.rack ?? '');

describe('placement', () => {
  it('gives every partition the replicas asked for, no broker twice', () => {
    fc.assert(
      fc.property(placement, ({ replicas, partitions, factor }) => {
        expect(replicas).toHaveLength(partitions);
        for (const ids of replicas) expect(new Set(ids).size).toBe(factor);
      }),
    );
  });

  it('makes a living broker lead', () => {
    fc.assert(
      fc.property(placement, ({ brokers, replicas }) => {
        for (const [leader] of replicas) expect(brokers[leader!]?.fenced).toBe(false);
      }),
    );
  });

  it('uses a rack twice only when every rack is used, and then evenly until a rack has no more', () => {
    fc.assert(
      fc.property(placement, ({ brokers, replicas, factor }) => {
        const sizes = new Map<string, number>();
        for (const rack of racksOf(brokers, brokers.keys().toArray()))
          sizes.set(rack, (sizes.get(rack) ?? 0) + 1);
        for (const ids of replicas) {
          const used = new Map([...sizes.keys()].map((rack) => [rack, 0]));
          for (const rack of racksOf(brokers, ids)) used.set(rack, (used.get(rack) ?? 0) + 1);
          if (factor <= sizes.size) expect(Math.max(...used.values())).toBe(1);
          const most = Math.max(...used.values());
          for (const [rack, count] of used)
            expect(count === sizes.get(rack) || count >= most - 1, `${rack}: ${count} of ${most}`).toBe(true);
        }
      }),
    );
  });

  it('prefers living to fenced followers within a rack', () => {
    const brokers = [0, 1, 2, 3].map((id) => ({ id, fenced: id >= 2 }));
    for (const ids of placeReplicas(brokers, 20, 2, new SeededRandom(1)))
      expect(ids.toSorted()).toEqual([0, 1]);
  });

  it('lets each broker lead once per round when racks are equal', () => {
    for (const racks of [1, 2, 3]) {
      const brokers = Array.from({ length: 6 }, (_, id) => ({ id, rack: `r${id % racks}`, fenced: false }));
      for (let seed = 0; seed < 20; seed++) {
        const replicas = placeReplicas(brokers, 18, 3, new SeededRandom(seed));
        for (let round = 0; round < 3; round++) {
          const leaders = replicas.slice(6 * round, 6 * round + 6).map(([leader]) => leader);
          expect(new Set(leaders).size).toBe(6);
        }
      }
    }
  });

  it('does not repeat the same replica sets round after round', () => {
    const brokers = Array.from({ length: 6 }, (_, id) => ({ id, fenced: false }));
    const rounds = placeReplicas(brokers, 60, 3, new SeededRandom(7)).map((ids) => ids.join());
    expect(new Set(rounds).size).toBeGreaterThan(12);
  });

  it('differs from topic to topic where it starts', () => {
    const brokers = Array.from({ length: 5 }, (_, id) => ({ id, fenced: false }));
    const random = new SeededRandom(3);
    const leaders = Array.from({ length: 40 }, () => placeReplicas(brokers, 1, 1, random)[0]?.[0]);
    expect(new Set(leaders).size).toBe(5);
  });

  it('ends with a single living broker, however many partitions', () => {
    const brokers = [0, 1, 2].map((id) => ({ id, fenced: id > 0 }));
    const replicas = placeReplicas(brokers, 100, 3, new SeededRandom(5));
    for (const ids of replicas) expect(ids[0]).toBe(0);
  });

  it('says with numbers why it cannot be done', () => {
    const brokers = [0, 1].map((id) => ({ id, fenced: true }));
    expect(placementProblem(brokers, 0)).toMatch(/0 is not positive/);
    expect(placementProblem(brokers, 3)).toMatch(
      /3 is larger than the number of usable brokers, 2 \(0 alive\)/,
    );
    expect(placementProblem(brokers, 2)).toMatch(/none of the 2 registered brokers is alive/);
    expect(placementProblem([], 1)).toMatch(/usable brokers, 0/);
  });
});

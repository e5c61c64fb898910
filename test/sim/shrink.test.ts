import { describe, expect, it } from 'vitest';
import { describeCounters, findUncovered } from '../../src/testing/sim/cluster/coverage.ts';
import { FAULT_KINDS } from '../../src/testing/sim/cluster/faults/index.ts';
import { type ClusterSimOptions, drawOptions } from '../../src/testing/sim/cluster/options.ts';
import { shrink } from '../../src/testing/sim/cluster/shrink.ts';

const big: ClusterSimOptions = {
  ...drawOptions(1),
  brokers: 5,
  controllers: 5,
  producers: 3,
  faults: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 1_000])),
};

describe('a failing run', () => {
  it('is made as small as it can be while it breaks the same law', async () => {
    const needs = ({ faults, brokers, controllers }: ClusterSimOptions): boolean =>
      faults.kill !== undefined && faults.pause !== undefined && brokers >= 2 && controllers >= 3;
    const run = async (options: ClusterSimOptions) => (needs(options) ? 'law' : undefined);
    const { options } = await shrink(big, 'law', run, 1_000);
    expect(Object.keys(options.faults).sort()).toEqual(['kill', 'pause']);
    expect(options).toMatchObject({ controllers: 3, producers: 1, readers: 1, recordsMax: 1, settings: {} });
    expect(options.brokers).toBe(Math.max(2, ...options.topics.map((topic) => topic.replicationFactor)));
    expect(options.faultsMs).toBeLessThanOrEqual(2_000);
  });

  it('is not taken for another law, and no more runs are made than allowed', async () => {
    let runs = 0;
    const other = async () => {
      runs++;
      return 'another law';
    };
    expect(await shrink(big, 'law', other, 7)).toEqual({ options: big, runs: 7 });
    expect(runs).toBe(7);
  });
});

describe('the coverage of many runs', () => {
  it('asks for every kind of fault, every pair of them, and what follows from them', () => {
    const missing = findUncovered(new Map([['fault: kill', 1]]));
    expect(missing).not.toContain('fault: kill');
    expect(missing).toContain('fault: pause');
    expect(missing).toContain('pair: kill + pause');
    expect(missing).toContain('batches deduplicated');
    const kinds = FAULT_KINDS.filter((kind) => kind !== 'failure point').length;
    expect(missing.filter((name) => name.startsWith('pair: '))).toHaveLength((kinds * (kinds - 1)) / 2);
  });

  it('asks for every failure point that a simulation gets to, where there are any', () => {
    expect(findUncovered(new Map())).not.toContain('fault: failure point');
    const points = [{ name: 'a.met' }, { name: 'a.missed' }, { name: 'a.far', reach: 'chaos' }];
    Reflect.set(globalThis, 'quorateFailurePoints', { points });
    try {
      const counters = new Map([['failure point passed: a.met', 3]]);
      const missing = findUncovered(counters);
      expect(missing).toContain('fault: failure point');
      expect(missing).toContain('pair: failure point + kill');
      expect(missing.filter((name) => name.includes(': a.'))).toEqual(['failure point passed: a.missed']);
      expect(describeCounters(counters).slice(-3)).toEqual([
        'failure points                   2',
        '  that nodes got to              1',
        '  at which nodes died            0',
      ]);
    } finally {
      Reflect.deleteProperty(globalThis, 'quorateFailurePoints');
    }
  });
});

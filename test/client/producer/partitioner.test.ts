import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { StickyPartition } from '../../../src/client/producer/partitioner.ts';
import { clientWorld, rejection } from '../client-world.ts';

describe('sticky partition', () => {
  it('stays until a batch is full, then goes elsewhere', () => {
    const sticky = new StickyPartition(new SeededRandom(1), 100);
    const chosen = Array.from({ length: 200 }, () => sticky.next(25, 4, () => true));
    for (let i = 0; i < 200; i += 4) {
      expect(new Set(chosen.slice(i, i + 4)).size).toBe(1);
      if (i > 0) expect(chosen[i]).not.toBe(chosen[i - 1]);
    }
    expect(new Set(chosen).size).toBe(4);
  });

  it('avoids partitions without a leader while others have one', () => {
    const sticky = new StickyPartition(new SeededRandom(1), 1);
    const chosen = Array.from({ length: 20 }, () => sticky.next(10, 3, (partition) => partition !== 1));
    expect(new Set(chosen)).toEqual(new Set([0, 2]));
  });

  it('takes any when none has a leader', () => {
    const sticky = new StickyPartition(new SeededRandom(1), 1);
    expect(sticky.next(10, 1, () => false)).toBe(0);
  });
});

describe('choice of a partition', () => {
  it('is the record, then the hook, then the key', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('t', 10);
    const hook = client.producer({ partitioner: ({ key }) => (key === undefined ? 3 : undefined) });
    expect((await finish(hook.send('t', { value: 'x', partition: 5 }))).partition).toBe(5);
    expect((await finish(hook.send('t', { value: 'x' }))).partition).toBe(3);
    const byKey = await finish(client.producer().send('t', { key: 'k', value: 'x' }));
    expect((await finish(hook.send('t', { key: 'k', value: 'x' }))).partition).toBe(byKey.partition);
  });

  it('outside of the topic is refused', async () => {
    const { client, cluster, finish } = clientWorld();
    cluster.createTopic('t', 2);
    const error = await finish(rejection(client.producer().send('t', { value: 'x', partition: 2 })));
    expect(error.message).toContain('t has partitions 0 to 1, not 2');
  });
});

import { expect, it } from 'vitest';
import { PartitionMap } from '../../../src/broker/replica/partition-map.ts';

it('gives all values as they are now, after each change', () => {
  const map = new PartitionMap<string>();
  expect(map.values()).toEqual([]);
  map.set('a', 0, 'a-0');
  map.set('b', 1, 'b-1');
  expect(map.values()).toEqual(['a-0', 'b-1']);
  map.set('a', 0, 'another');
  expect(map.values()).toEqual(['another', 'b-1']);
  map.delete('a', 0);
  expect(map.values()).toEqual(['b-1']);
  map.clear();
  expect(map.values()).toEqual([]);
});

it('goes on through the values that were there when one of them is deleted meanwhile', () => {
  const map = new PartitionMap<number>();
  for (const partition of [0, 1, 2]) map.set('a', partition, partition);
  const seen: number[] = [];
  for (const value of map.values()) {
    map.delete('a', value);
    seen.push(value);
  }
  expect(seen).toEqual([0, 1, 2]);
  expect(map.size).toBe(0);
});

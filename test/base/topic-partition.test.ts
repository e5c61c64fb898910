import { expect, it } from 'vitest';
import {
  TOPIC_NAME_LENGTH_MAX,
  topicCollisionKey,
  topicNameProblem,
  topicPartitionKey,
} from '../../src/base/index.ts';

it.each(['a', 'orders', 'Orders.v2_x-9', '__consumer_offsets', '...', 'x'.repeat(TOPIC_NAME_LENGTH_MAX)])(
  '%s is a name',
  (name) => {
    expect(topicNameProblem(name)).toBeUndefined();
  },
);

it.each([
  ['', 'is empty'],
  ['.', 'cannot be "."'],
  ['..', 'cannot be ".."'],
  ['../x', 'outside [a-zA-Z0-9._-]'],
  ['a/b', 'outside'],
  ['a\\b', 'outside'],
  ['a b', 'outside'],
  ['a\0', 'outside'],
  ['a\n', 'outside'],
  ['größe', 'outside'],
  ['x'.repeat(TOPIC_NAME_LENGTH_MAX + 1), 'has 250 characters; at most 249'],
])('%j is refused with the reason', (name, why) => {
  expect(topicNameProblem(name)).toContain(why);
});

it('names that differ by a dot and an underscore collide', () => {
  expect(topicCollisionKey('a.b_c')).toBe(topicCollisionKey('a_b.c'));
  expect(topicCollisionKey('a-b')).not.toBe(topicCollisionKey('a_b'));
});

it('a partition is named by topic and number', () => {
  expect(topicPartitionKey('orders-3', 0)).toBe('orders-3-0');
});

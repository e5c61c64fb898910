import { describe, expect, it } from 'vitest';
import { randomUuid, SeededRandom, TOPIC_NAME_LENGTH_MAX } from '../../src/base/index.ts';
import { asideName, findLogName, isAsideOf, isDeletedName } from '../../src/log/directory/directory-names.ts';

const random = new SeededRandom(1, 'names');
const id = () => randomUuid(random);
const LONGEST = 'x'.repeat(TOPIC_NAME_LENGTH_MAX);

describe('a name in a data directory', () => {
  it.each([
    ['t-0', 't', 0],
    ['a-b-12', 'a-b', 12],
    ['a.b-2147483647', 'a.b', 2_147_483_647],
  ])('%s is a log', (name, topic, partition) => {
    expect(findLogName(name)).toEqual({ name, topic, partition });
  });

  it.each(['t', '-0', 't-', 't-07', 't-00', 't-1x', 't-12345678901', '__cluster_metadata-0'])(
    '%s is none',
    (name) => expect(findLogName(name)).toBeUndefined(),
  );

  it('that was taken from a log is no log, and says of which it was', () => {
    for (const kind of ['delete', 'stray', 'damaged'] as const) {
      const name = asideName('t', 1, id(), kind);
      expect(findLogName(name)).toBeUndefined();
      expect(isDeletedName(name)).toBe(kind === 'delete');
      expect(isAsideOf(name, 't', 1, kind)).toBe(true);
      for (const [topic, partition] of [
        ['t', 11],
        ['t', 0],
        ['tt', 1],
      ] as const)
        expect(isAsideOf(name, topic, partition, kind)).toBe(false);
    }
  });

  it('of a topic that has another name with a dot as its head belongs to that topic alone', () => {
    const name = asideName('t-1.x', 0, id(), 'damaged');
    expect(isAsideOf(name, 't-1.x', 0, 'damaged')).toBe(true);
    expect(isAsideOf(name, 't', 1, 'damaged')).toBe(false);
  });

  it('fits a file system, however long the topic, and belongs to no topic that begins alike', () => {
    for (const partition of [0, 2_147_483_647])
      for (const kind of ['delete', 'stray', 'damaged'] as const) {
        const name = asideName(LONGEST, partition, id(), kind);
        expect(name.length).toBeLessThanOrEqual(255);
        expect(isAsideOf(name, LONGEST, partition, kind)).toBe(true);
        expect(isAsideOf(name, `${LONGEST.slice(1)}y`, partition, kind)).toBe(false);
        expect(isDeletedName(name)).toBe(kind === 'delete');
      }
  });

  it('that Kafka gave to what it deletes is known', () => {
    expect(isDeletedName('t-0.0123456789abcdef0123456789abcdef-delete')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { EntryLaws } from '../../../src/testing/sim/cluster/watch/entry-laws.ts';

const a = { epoch: 1, content: 'a' };
const b = { epoch: 2, content: 'b' };

describe('the watch of the metadata log', () => {
  it('sees an entry that is called committed and is not on the disks of a majority', () => {
    new EntryLaws().commit(0, [a, { ...a }, undefined]);
    for (const copies of [
      [a, undefined, undefined],
      [a, b, undefined],
      [a, undefined],
    ])
      expect(() => new EntryLaws().commit(0, copies)).toThrow('a committed entry is durable on a majority');
  });

  it('sees a later leader that has another entry', () => {
    const laws = new EntryLaws();
    laws.commit(0, [a, a, b]);
    laws.commit(0, [a, a, a]);
    expect(() => laws.commit(0, [a, b, b])).toThrow('a committed entry stays');
  });

  it('sees two entries of one epoch at one offset', () => {
    const laws = new EntryLaws();
    laws.commit(0, [a]);
    expect(laws.agrees('n', 0, a)).toBe(true);
    expect(laws.agrees('n', 0, undefined)).toBe(false);
    expect(laws.agrees('n', 1, a)).toBe(false);
    expect(laws.agrees('n', 0, b), 'the disk may be behind').toBe(false);
    expect(() => laws.agrees('n', 0, { ...a, content: 'c' })).toThrow('an epoch writes an offset once');
  });
});

import { describe, expect, it } from 'vitest';
import { Segment } from '../../src/log/segment/segment.ts';
import { SegmentPool } from '../../src/log/segment/segment-pool.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';

describe('who opens a segment', () => {
  it('that its log closes meanwhile is told so, and no fault is seen in it', async () => {
    const files = new MemoryFiles();
    await files.makeDirectory('/data');
    const pool = new SegmentPool(files, 2);
    const how = { indexIntervalBytes: 100, fail: () => {} };
    const ends = new Set<unknown>();
    for (let turns = 0; turns < 60; turns++) {
      const segment = new Segment(files, '/data', turns);
      await pool.create(segment, how);
      segment.keepsIndex = false;
      await segment.close();
      const used = pool.use(segment, how, async () => 'used').catch((error) => error.reason ?? error);
      for (let i = 0; i < turns; i++) await undefined;
      await segment.close();
      ends.add(await used);
      pool.forget(segment);
    }
    expect(ends).toEqual(new Set(['used', 'closed']));
  });
});

describe('a sync of a segment', () => {
  it('does not count before one that began earlier has ended well: the system tells of a lost write once', async () => {
    const files = new MemoryFiles();
    await files.makeDirectory('/data');
    const segment = new Segment(files, '/data', 0);
    await segment.create(files);
    const { handle } = segment;
    if (handle === undefined) throw new Error('the segment is open');
    let failFirst = (): void => {};
    const sync = handle.sync.bind(handle);
    handle.sync = () => {
      handle.sync = sync;
      return new Promise((_, reject) => {
        failFirst = () => reject(new Error('lost'));
      });
    };
    const ends: string[] = [];
    const note = (name: string, end: Promise<void>): Promise<unknown> =>
      end.then(
        () => ends.push(`${name} is good`),
        () => ends.push(`${name} failed`),
      );
    await segment.write([Buffer.from('a')]);
    const first = note('the first', segment.sync());
    await segment.write([Buffer.from('b')]);
    const second = note('the second', segment.sync());
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toEqual([]);
    failFirst();
    await Promise.all([first, second]);
    expect(ends).toEqual(['the first failed', 'the second failed']);
  });
});

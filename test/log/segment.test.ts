import { describe, expect, it } from 'vitest';
import { readWholeFile } from '../../src/env/index.ts';
import { readBatchHeader, stampBatch } from '../../src/log/record/index.ts';
import { Segment } from '../../src/log/segment/segment.ts';
import { offsetName } from '../../src/log/segment/segment-names.ts';
import { SegmentPool } from '../../src/log/segment/segment-pool.ts';
import { TIME_ENTRY_BYTES } from '../../src/log/segment/time-index.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';
import { batchOf } from './log-fixture.ts';

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

describe('the index files of a segment', () => {
  it('are changed by one at a time: a roll, a reader and a scrub may want it together', async () => {
    const files = new MemoryFiles();
    await files.makeDirectory('/data');
    for (let turns = 0; turns < 40; turns++) {
      const segment = new Segment(files, '/data', turns);
      await segment.create(files);
      const batch = batchOf(['a', 'b']);
      stampBatch(batch, { baseOffset: turns, leaderEpoch: 0 });
      await segment.write([batch]);
      segment.writtenBytes = batch.length;
      segment.index?.note(readBatchHeader(batch), 0, 100);
      // As a start leaves it that has read wrong files.
      segment.indexTrustedFrom = Number.MAX_SAFE_INTEGER;
      const made = segment.remakeIndex(100);
      for (let i = 0; i < turns; i++) await undefined;
      const index = await segment.rebuildIndex(100);
      await Promise.all([made, segment.retire(), segment.replaceIndex(index)]);
      expect(segment).toMatchObject({ indexIsSaved: true, keepsIndex: false });
      const names = (await files.list('/data')).filter((name) => name.startsWith(offsetName(turns)));
      expect(
        names.map((name) => name.slice(21)),
        `${turns}`,
      ).toEqual(['index', 'log', 'timeindex']);
      const times = await readWholeFile(files, `${segment.path}.timeindex`);
      expect(times).toHaveLength(TIME_ENTRY_BYTES);
    }
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

import { describe, expect, it } from 'vitest';
import { EpochCache } from '../../src/log/epoch/epoch-cache.ts';
import { LogFixture } from './log-fixture.ts';

const cacheOf = (...entries: [number, number][]): EpochCache =>
  new EpochCache(entries.map(([epoch, startOffset]) => ({ epoch, startOffset })));
const pairs = (cache: EpochCache): number[][] =>
  cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset]);

describe('the epoch cache', () => {
  it('keeps the first offset of the latest epoch and drops entries that contradict a new one', () => {
    const cache = cacheOf([1, 0], [3, 10]);
    expect(cache.assign(3, 12)).toBe(false);
    expect(cache.assign(3, 8)).toBe(true);
    expect(pairs(cache)).toEqual([
      [1, 0],
      [3, 8],
    ]);
    cache.assign(5, 8);
    expect(pairs(cache)).toEqual([
      [1, 0],
      [5, 8],
    ]);
    cache.assign(2, 20);
    expect(pairs(cache)).toEqual([
      [1, 0],
      [2, 20],
    ]);
    expect(() => cache.assign(-1, 0)).toThrow(/not negative/);
  });

  it('an epoch ends where the next one begins, the latest at the end of the log', () => {
    const cache = cacheOf([2, 5], [4, 10], [7, 20]);
    const end = (epoch: number): [number, number] | undefined => {
      const found = cache.endOffsetFor(epoch, 30);
      return found && [found.epoch, found.endOffset];
    };
    expect(end(7)).toEqual([7, 30]);
    expect(end(4)).toEqual([4, 20]);
    expect(end(2)).toEqual([2, 10]);
    expect(end(5)).toEqual([4, 20]);
    expect(end(3)).toEqual([2, 10]);
    expect(end(0)).toEqual([0, 5]);
    expect(end(8)).toBeUndefined();
    expect(end(-1)).toBeUndefined();
    expect(new EpochCache().endOffsetFor(0, 9)).toBeUndefined();
  });

  it('truncating to an offset forgets epochs that begin at or after it, also at the end of the log', () => {
    const cache = cacheOf([2, 5], [4, 10], [7, 20]);
    expect(cache.truncateFromEnd(20)).toBe(true);
    expect(pairs(cache)).toEqual([
      [2, 5],
      [4, 10],
    ]);
    expect(cache.truncateFromEnd(11)).toBe(false);
  });

  it('a batch at the end drops an epoch that wrote nothing there and keeps the start of its own', () => {
    const cache = cacheOf([2, 5], [4, 10]);
    expect(cache.note(2, 10)).toBe(true);
    expect(pairs(cache)).toEqual([[2, 5]]);
    expect(cache.note(2, 12)).toBe(false);
    expect(cache.note(3, 12)).toBe(true);
    expect(pairs(cache)).toEqual([
      [2, 5],
      [3, 12],
    ]);
  });

  it('a later start drops epochs wholly below it and moves the one that holds it', () => {
    const cache = cacheOf([2, 5], [4, 10], [7, 20]);
    expect(cache.truncateFromStart(15)).toBe(true);
    expect(pairs(cache)).toEqual([
      [4, 15],
      [7, 20],
    ]);
    expect(cache.truncateFromStart(20)).toBe(true);
    expect(pairs(cache)).toEqual([[7, 20]]);
    expect(cache.truncateFromStart(20)).toBe(false);
  });
});

describe('leader epochs of a log', () => {
  it('an epoch assigned at the end goes when the log is cut there, though no record goes', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a'], { epoch: 1 });
    fixture.log.assignEpoch(5, 1);
    expect(fixture.log.latestEpoch).toBe(5);
    expect(fixture.log.lastBatchEpoch).toBe(1);
    await fixture.log.truncateTo(1);
    expect(fixture.log.latestEpoch).toBe(1);
    expect(await fixture.values()).toEqual(['a']);
  });

  it('of which a clean stop left no batch are forgotten by the next start', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a'], { epoch: 1 });
    fixture.log.assignEpoch(5, 1);
    await fixture.restart();
    expect(fixture.log.latestEpoch).toBe(1);
    expect(fixture.log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 1 });
  });

  it('nothing of a new epoch counts as flushed before the epoch is on disk', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a'], { epoch: 1 });
    await fixture.flushed();
    const { release, arrived } = fixture.hold('rename', 'leader-epoch-checkpoint.tmp');
    fixture.append(['b'], { epoch: 2 });
    await fixture.log.whenWritten(2);
    await arrived;
    for (let turn = 0; turn < 50; turn++) await undefined;
    expect(fixture.log.flushedOffset).toBe(1);
    release();
    await fixture.log.whenFlushed(2);
  });

  it('are in a text file, with a checksum', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a'], { epoch: 1 });
    fixture.append(['b'], { epoch: 4 });
    await fixture.flushed();
    const handle = await fixture.files.open('/data/t-0/leader-epoch-checkpoint', 'read');
    const bytes = Buffer.alloc(100);
    const text = bytes.subarray(0, await handle.read(bytes, 0)).toString();
    expect(text).toBe('1\n2\n1 0\n4 1\ncrc32c 724ffd2f\n');
  });
});

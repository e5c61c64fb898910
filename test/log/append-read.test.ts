import { describe, expect, it } from 'vitest';
import { readBatchHeader } from '../../src/log/record/index.ts';
import { batchOf, LogFixture, valuesOf } from './log-fixture.ts';

describe('appending', () => {
  it('moves the end at once, written and flushed later, flushed never past written', async () => {
    const fixture = await LogFixture.open();
    const { log } = fixture;
    const seen: number[][] = [];
    log.onProgress(() => seen.push([log.writtenOffset, log.flushedOffset]));
    expect(fixture.append(['a', 'b'])).toMatchObject({ firstOffset: 0, lastOffset: 1, duplicate: false });
    expect([log.logEndOffset, log.writtenOffset, log.flushedOffset]).toEqual([2, 0, 0]);
    fixture.append(['c']);
    await log.whenFlushed(3);
    expect([log.logEndOffset, log.writtenOffset, log.flushedOffset]).toEqual([3, 3, 3]);
    for (const [written, flushed] of seen) expect(flushed).toBeLessThanOrEqual(written!);
    expect(seen.length).toBeGreaterThan(0);
  });

  it('stamps offset and leader epoch into the batch that was given, which readers then get without a copy', async () => {
    const fixture = await LogFixture.open();
    const batch = batchOf(['x', 'y']);
    fixture.append(['first']);
    fixture.log.appendAsLeader(batch, { leaderEpoch: 3, nowMs: 1 });
    expect(readBatchHeader(batch)).toMatchObject({ baseOffset: 1, leaderEpoch: 3 });
    const read = fixture.log.read(1, { maxBytes: 1000, upperBound: 3, atLeastOne: true });
    expect(read).toMatchObject({ sizeBytes: batch.length });
    expect('batches' in read && read.batches[0]).toBe(batch);
  });

  it('refuses what is too large, damaged or of an older epoch, and changes nothing', async () => {
    const fixture = await LogFixture.open({ config: { maxMessageBytes: 200 } });
    const { log } = fixture;
    const refusal = (batch: Uint8Array, leaderEpoch = 5): unknown => {
      try {
        log.appendAsLeader(batch, { leaderEpoch, nowMs: 0 });
      } catch (error) {
        return (error as { code: string }).code;
      }
      return undefined;
    };
    fixture.append(['a'], { epoch: 5 });
    expect(refusal(batchOf(['x'.repeat(300)]))).toBe('MESSAGE_TOO_LARGE');
    const damaged = batchOf(['x']);
    damaged[65]! ^= 1;
    expect(refusal(damaged)).toBe('CORRUPT_MESSAGE');
    expect(refusal(batchOf(['x']), 4)).toBe('FENCED_LEADER_EPOCH');
    expect(log.logEndOffset).toBe(1);
    expect(await fixture.values()).toEqual(['a']);
  });

  it('with LogAppendTime stamps the time of the broker, with a compression type of the topic encodes anew', async () => {
    const fixture = await LogFixture.open({
      config: { timestampType: 'LogAppendTime', compressionType: 'zstd' },
    });
    expect(fixture.append(['a'.repeat(100), 'b'])).toMatchObject({ logAppendTimeMs: 5000 });
    const read = await fixture.log.read(0, { maxBytes: 1000, upperBound: 2, atLeastOne: true });
    expect(readBatchHeader(read.batches[0]!)).toMatchObject({
      codec: 'zstd',
      timestampType: 'LogAppendTime',
      maxTimestamp: 5000,
      lastOffset: 1,
    });
    expect(valuesOf(read)).toEqual(['a'.repeat(100), 'b']);
  });

  it('one write and one sync carry what arrived while the last ones were under way', async () => {
    const fixture = await LogFixture.open();
    const operations = fixture.watch('.log');
    for (let i = 0; i < 100; i++) fixture.append([`${i}`]);
    await fixture.flushed();
    expect(operations.filter((operation) => operation === 'write')).toHaveLength(1);
    expect(operations.filter((operation) => operation === 'sync')).toHaveLength(1);
  });
});

describe('a follower', () => {
  it('appends what the leader stored, byte for byte, with its offsets and epochs', async () => {
    const leader = await LogFixture.open();
    leader.append(['a', 'b'], { epoch: 1 });
    leader.append(['c'], { epoch: 4 });
    const read = await leader.log.read(0, { maxBytes: 10_000, upperBound: 3, atLeastOne: true });
    const follower = await LogFixture.open();
    const frame = Buffer.concat(read.batches);
    expect(follower.log.appendAsFollower([frame], 4)).toEqual({ lastOffset: 2 });
    expect(await follower.values()).toEqual(['a', 'b', 'c']);
    expect(follower.log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 2 });
    expect(follower.log.lastBatchEpoch).toBe(4);
    await Promise.all([leader.flushed(), follower.flushed()]);
    const path = '/data/t-0/00000000000000000000.log';
    const bytes = async (fixture: LogFixture): Promise<Buffer> => {
      const handle = await fixture.files.open(path, 'read');
      const buffer = Buffer.alloc(await handle.sizeBytes());
      await handle.read(buffer, 0);
      return buffer;
    };
    expect((await bytes(follower)).equals(await bytes(leader))).toBe(true);
  });

  it('takes all of a reply or nothing: overlap, falling or future epochs, damage and cut batches are refused', async () => {
    const fixture = await LogFixture.open();
    const at = (baseOffset: number, leaderEpoch: number): Buffer => {
      const batch = Buffer.from(batchOf(['v']));
      batch.writeBigInt64BE(BigInt(baseOffset), 0);
      batch.writeInt32BE(leaderEpoch, 12);
      return batch;
    };
    fixture.log.appendAsFollower([at(0, 2), at(1, 2)], 2);
    const damaged = at(3, 2);
    damaged[65]! ^= 1;
    const bad = [
      [at(1, 2)],
      [at(2, 1)],
      [at(2, 4)],
      [at(2, 2), damaged],
      [at(2, 2).subarray(0, 40)],
      [at(2, 2), at(2, 2)],
    ];
    for (const batches of bad)
      expect(() => fixture.log.appendAsFollower(batches, 3)).toThrow(
        expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
      );
    expect(fixture.log.logEndOffset).toBe(2);
    fixture.log.appendAsFollower([at(7, 3)], 3);
    expect(fixture.log.logEndOffset).toBe(8);
  });
});

describe('reading', () => {
  /** Ten batches of two records; segments of three batches. */
  const filled = async (tailCacheBytes: number): Promise<LogFixture> => {
    const fixture = await LogFixture.open({
      tailCacheBytes,
      config: { segmentBytes: 300, indexIntervalBytes: 0 },
    });
    for (let i = 0; i < 10; i++) fixture.append([`${2 * i}`, `${2 * i + 1}`]);
    await fixture.flushed();
    return fixture;
  };
  const all = Array.from({ length: 20 }, (_, i) => `${i}`);

  for (const [where, tailCacheBytes] of [
    ['memory', 1_000_000],
    ['the files', 0],
    ['both', 300],
  ] as const) {
    it(`from ${where}: begins with the batch that holds the offset, keeps order and bounds`, async () => {
      const fixture = await filled(tailCacheBytes);
      const { log } = fixture;
      for (let from = 0; from < 20; from++) expect(await fixture.values(from)).toEqual(all.slice(from));
      for (const maxBytes of [1, 100, 200, 500]) expect(await fixture.values(0, maxBytes)).toEqual(all);
      const bounded = await log.read(3, { maxBytes: 10_000, upperBound: 6, atLeastOne: true });
      expect(valuesOf(bounded)).toEqual(['2', '3', '4', '5']);
      const within = await log.read(4, { maxBytes: 10_000, upperBound: 5, atLeastOne: true });
      expect(within).toEqual({ batches: [], sizeBytes: 0 });
      expect((await log.read(0, { maxBytes: 10, upperBound: 20, atLeastOne: false })).batches).toEqual([]);
      expect((await log.read(20, { maxBytes: 10, upperBound: 20, atLeastOne: true })).batches).toEqual([]);
      for (const from of [-1, 21])
        expect(() => log.read(from, { maxBytes: 10, upperBound: 99, atLeastOne: true })).toThrow(
          expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }),
        );
    });
  }

  it('memory holds no more than its limit once written, and always what is not yet written', async () => {
    const fixture = await LogFixture.open({ tailCacheBytes: 500 });
    // Memory of its own for each, as far as the cache can tell: a piece of a buffer counts as the whole of it.
    const batch = (i: number): Uint8Array => new Uint8Array([...batchOf([`${i}`])]);
    for (let i = 0; i < 50; i++) fixture.log.appendAsLeader(batch(i), { leaderEpoch: 0, nowMs: 0 });
    expect(
      valuesOf(await fixture.log.read(0, { maxBytes: 1e6, upperBound: 50, atLeastOne: true })),
    ).toHaveLength(50);
    await fixture.flushed();
    expect(fixture.log.read(0, { maxBytes: 1, upperBound: 50, atLeastOne: true })).toBeInstanceOf(Promise);
    expect(fixture.log.read(48, { maxBytes: 1, upperBound: 50, atLeastOne: true })).not.toBeInstanceOf(
      Promise,
    );
    expect(await fixture.values()).toHaveLength(50);
  });

  it('finds the first record at or after a time, wherever the batches are', async () => {
    for (const tailCacheBytes of [0, 1_000_000]) {
      const fixture = await LogFixture.open({
        tailCacheBytes,
        config: { segmentBytes: 300, indexIntervalBytes: 0 },
      });
      const times = [100, 50, 300, 200, 900, 400, 800, 850];
      for (const timeMs of times) fixture.append(['a', 'b'], { timeMs });
      await fixture.flushed();
      const flat = times.flatMap((time, i) => [
        { timestampMs: time, offset: 2 * i },
        { timestampMs: time + 1, offset: 2 * i + 1 },
      ]);
      for (let target = 0; target < 910; target += 7)
        expect(await fixture.log.offsetForTimestamp(target)).toEqual(
          flat.find((one) => one.timestampMs >= target),
        );
      expect(await fixture.log.maxTimestamp()).toEqual({ offset: 9, timestampMs: 901 });
      await fixture.restart();
      expect(await fixture.log.maxTimestamp()).toEqual({ offset: 9, timestampMs: 901 });
    }
  });
});

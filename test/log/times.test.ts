import { describe, expect, it } from 'vitest';
import { BatchBuilder, buildTransactionMarker, stampBatch } from '../../src/log/record/index.ts';
import { LogFixture } from './log-fixture.ts';

describe('the times of a segment', () => {
  it('are in its index also when no record bears one: it is not made anew each time', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 300 } });
    for (let i = 0; i < 8; i++) {
      const builder = new BatchBuilder({ compression: 'none' });
      for (let k = 0; k < 2; k++) builder.append({ timestampMs: -1, value: Buffer.from('some value') });
      fixture.log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: 1 });
    }
    expect(fixture.log.segmentCount).toBeGreaterThan(2);
    await fixture.restart();
    const written = fixture.watch('.timeindex.tmp');
    await fixture.restart();
    expect(written).toEqual([]);
    expect(await fixture.log.offsetForTimestamp(0)).toBeUndefined();
    expect(await fixture.log.maxTimestamp()).toBeUndefined();
  });

  it('begin anew when all of it was cut: its age is that of the batches it has', async () => {
    const fixture = await LogFixture.open({ config: { segmentMs: 1000 } });
    fixture.append(['a'], { timeMs: 1000 });
    await fixture.flushed();
    await fixture.log.truncateTo(0);
    for (let i = 0; i < 3; i++) fixture.append(['b'], { timeMs: 9000 + i });
    expect(fixture.log.segmentCount).toBe(1);
    fixture.append(['c'], { timeMs: 10_001 });
    expect(fixture.log.segmentCount).toBe(2);
  });
});

describe('the newest time of a segment', () => {
  it('goes with the batch that a cut takes: retention judges what is left', async () => {
    const fixture = await LogFixture.open({ config: { retentionMs: 1000 } });
    fixture.append(['a'], { timeMs: 1000 });
    fixture.append(['cut'], { timeMs: 9000 });
    await fixture.flushed();
    await fixture.log.truncateTo(1);
    fixture.append(['b'], { timeMs: 1001 });
    await fixture.flushed();
    fixture.log.setHighWatermark(2);
    await fixture.log.applyRetention(2001);
    expect(fixture.log.logStartOffset).toBe(0);
    await fixture.log.applyRetention(2002);
    expect(fixture.log.logStartOffset).toBe(2);
  });
});

describe('a search by time', () => {
  it('reads segments that may hold the time and no others', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 300 }, tailCacheBytes: 0 });
    fixture.append(['of the future'], { timeMs: 1_000_000 });
    for (let i = 0; i < 30; i++) fixture.append([`${i}`.repeat(30)], { timeMs: 1000 + i });
    await fixture.flushed();
    fixture.log.setHighWatermark(1);
    await fixture.log.advanceLogStart(1);
    const read = new Set<string>();
    const perform = fixture.files.perform.bind(fixture.files);
    fixture.files.perform = (operation, path, effect) => {
      if (operation === 'read' && path.endsWith('.log')) read.add(path);
      return perform(operation, path, effect);
    };
    expect(await fixture.log.offsetForTimestamp(1_000_000)).toBeUndefined();
    expect([...read]).toEqual(['/data/t-0/00000000000000000000.log']);
    expect(await fixture.log.offsetForTimestamp(1029)).toEqual({ offset: 30, timestampMs: 1029 });
  });
});

describe('a marker', () => {
  it('is no record that a search by time finds', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a'], { timeMs: 1000 });
    const [producerId, producerEpoch, coordinatorEpoch] = [5, 0, 0];
    const marker = {
      type: 'commit',
      producerId,
      producerEpoch,
      coordinatorEpoch,
      timestampMs: 3000,
    } as const;
    const batch = buildTransactionMarker(marker);
    stampBatch(batch, { baseOffset: 1, leaderEpoch: 0 });
    fixture.log.appendAsFollower([batch], 0);
    fixture.append(['b'], { timeMs: 2000 });
    expect(await fixture.log.offsetForTimestamp(1001)).toEqual({ offset: 2, timestampMs: 2000 });
    expect(await fixture.log.maxTimestamp()).toEqual({ offset: 2, timestampMs: 2000 });
  });
});

describe('a gap of offsets that no index entry can span', () => {
  it('begins a segment, and everything beyond it is found', async () => {
    const far = 3_000_000_000;
    const leader = await LogFixture.open({ config: { indexIntervalBytes: 0 } });
    await leader.log.truncateFullyAndStartAt(far);
    for (let i = 0; i < 6; i++) leader.append([`${i}`], { timeMs: 1000 + i });
    const options = { maxBytes: 1e6, upperBound: far + 9, atLeastOne: true };
    const { batches } = await leader.log.read(far, options);
    const fixture = await LogFixture.open({ config: { indexIntervalBytes: 0 }, tailCacheBytes: 0 });
    fixture.append(['first']);
    fixture.log.appendAsFollower(
      batches.map((batch) => Buffer.from(batch)),
      0,
    );
    await fixture.flushed();
    expect(fixture.log.segmentCount).toBe(3);
    for (const end of ['', 'restart', 'kill'] as const) {
      if (end !== '') await fixture[end]();
      expect(await fixture.values(far + 1), end).toEqual(['1', '2', '3', '4', '5']);
      expect(await fixture.values(), end).toEqual(['first', '0', '1', '2', '3', '4', '5']);
      expect(await fixture.log.offsetForTimestamp(1003)).toEqual({ offset: far + 3, timestampMs: 1003 });
    }
  });
});

import { describe, expect, it } from 'vitest';
import { DEFAULT_LOG_CONFIG } from '../../src/log/index.ts';
import { rollAgeMs } from '../../src/log/segment/roll-age.ts';
import { Segment } from '../../src/log/segment/segment.ts';
import { LogFixture } from './log-fixture.ts';

const HOUR_MS = 3_600_000;
/** Where the records of `logOf` are, in time. */
const THEN_MS = 1_000_000;

/** A log of ten segments, one batch of two records in each, all committed. */
async function logOf(config: LogFixture['config'] | object = {}, count = 10): Promise<LogFixture> {
  const fixture = await LogFixture.open({ config: { segmentBytes: 100, ...config } });
  for (let i = 0; i < count; i++) fixture.append([`a${i}`, `b${i}`], { timeMs: THEN_MS + i * HOUR_MS });
  await fixture.flushed();
  fixture.log.setHighWatermark(fixture.log.logEndOffset);
  return fixture;
}

async function bases(fixture: LogFixture): Promise<number[]> {
  const names = await fixture.files.list('/data/t-0');
  return names.filter((name) => name.endsWith('.log')).map((name) => Number.parseInt(name, 10));
}

describe('retention by time', () => {
  it('takes the segments whose newest record is too old, from the front', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS });
    await fixture.log.applyRetention(THEN_MS + 4.5 * HOUR_MS);
    expect(fixture.log.logStartOffset).toBe(8);
    expect(await bases(fixture)).toEqual([8, 10, 12, 14, 16, 18]);
    expect((await fixture.values()).at(0)).toBe('a4');
  });

  it('has no file open of a segment that could not be renamed', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS });
    await fixture.crash();
    fixture.log.setHighWatermark(fixture.log.logEndOffset);
    await fixture.log.read(2, { maxBytes: 1, upperBound: 4, atLeastOne: true });
    expect(fixture.files.openPaths()).toContain('/data/t-0/00000000000000000002.log');
    fixture.files.failNext({ operation: 'rename', path: '00000000000000000002.index', reason: 'io-error' });
    await expect(fixture.log.applyRetention(THEN_MS + 4.5 * HOUR_MS)).rejects.toThrow();
    await fixture.manager.close({ brokerEpoch: 1 });
    expect(fixture.files.openPaths()).toEqual([]);
  });

  it('empties an idle log: what was active is closed and goes, and a new segment goes on', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS });
    await fixture.log.applyRetention(THEN_MS + 100 * HOUR_MS);
    expect([fixture.log.logStartOffset, fixture.log.logEndOffset]).toEqual([20, 20]);
    await fixture.settled();
    expect(await bases(fixture)).toEqual([20]);
    expect(fixture.append(['next']).firstOffset).toBe(20);
    await fixture.flushed();
    await fixture.restart();
    expect(await fixture.values()).toEqual(['next']);
    expect(fixture.log.logStartOffset).toBe(20);
  });

  it('leaves an empty log as it is', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS });
    for (const hours of [100, 200, 300]) {
      await fixture.log.applyRetention(THEN_MS + hours * HOUR_MS);
      await fixture.settled();
    }
    expect(await bases(fixture)).toEqual([20]);
    await fixture.crash();
    expect([fixture.log.logStartOffset, fixture.log.logEndOffset]).toEqual([20, 20]);
  });

  it('takes nothing that ends above the high watermark', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS });
    fixture.log.setHighWatermark(7);
    await fixture.log.applyRetention(THEN_MS + 100 * HOUR_MS);
    expect(fixture.log.logStartOffset).toBe(6);
  });

  it('knows the age of segments that nobody has read since the start', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS });
    await fixture.restart();
    await fixture.log.applyRetention(THEN_MS + 2.5 * HOUR_MS);
    expect(fixture.log.logStartOffset).toBe(4);
  });

  it('keeps a segment with a timestamp of the future, and all after it, until that has come', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS }, 0);
    for (const hours of [0, 50, 1, 2]) fixture.append([`h${hours}`], { timeMs: THEN_MS + hours * HOUR_MS });
    await fixture.flushed();
    fixture.log.setHighWatermark(4);
    await fixture.log.applyRetention(THEN_MS + 10 * HOUR_MS);
    expect(await fixture.values()).toEqual(['h50', 'h1', 'h2']);
    await fixture.log.applyRetention(THEN_MS + 52 * HOUR_MS);
    expect(await fixture.values()).toEqual([]);
  });

  it('takes a segment without any timestamp for as old as what follows it', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS }, 0);
    const times = [-1, -1, THEN_MS, THEN_MS + 9 * HOUR_MS, -1];
    for (const timeMs of times) fixture.append([`${timeMs}`], { timeMs });
    await fixture.flushed();
    fixture.log.setHighWatermark(5);
    await fixture.log.applyRetention(THEN_MS + HOUR_MS);
    expect(fixture.log.logStartOffset).toBe(0);
    await fixture.log.applyRetention(THEN_MS + HOUR_MS + 1);
    expect(fixture.log.logStartOffset).toBe(3);
  });

  it('counts segments without any timestamp from the first look at them', async () => {
    const fixture = await logOf({ retentionMs: HOUR_MS }, 0);
    for (const value of ['x', 'y']) fixture.append([value], { timeMs: -1 });
    await fixture.flushed();
    fixture.log.setHighWatermark(2);
    await fixture.log.applyRetention(THEN_MS);
    await fixture.log.applyRetention(THEN_MS + HOUR_MS);
    expect(await fixture.values()).toEqual(['x', 'y']);
    await fixture.log.applyRetention(THEN_MS + HOUR_MS + 1);
    expect(await fixture.values()).toEqual([]);
  });
});

describe('retention by size', () => {
  it('takes whole segments while the rest still reaches the size', async () => {
    const fixture = await logOf({ retentionMs: -1 });
    const { sizeBytes } = fixture.log;
    fixture.log.config = { ...fixture.log.config, retentionBytes: sizeBytes / 2 - 1 };
    await fixture.log.applyRetention(THEN_MS);
    expect(fixture.log.logStartOffset).toBe(10);
    expect(fixture.log.sizeBytes).toBe(sizeBytes / 2);
  });

  it('of zero empties the log, the active segment included', async () => {
    const fixture = await logOf({ retentionMs: -1, retentionBytes: 0 });
    await fixture.log.applyRetention(THEN_MS);
    expect([fixture.log.logStartOffset, fixture.log.sizeBytes]).toEqual([20, 0]);
  });

  it('does nothing where cleanup.policy has no delete', async () => {
    const fixture = await logOf({ retentionMs: 1, retentionBytes: 0, deletes: false });
    await fixture.log.applyRetention(THEN_MS + 100 * HOUR_MS);
    expect(fixture.log.logStartOffset).toBe(0);
  });
});

describe('the age of a segment', () => {
  it('closes an idle one after segment.ms from the first look, though nothing is appended', async () => {
    const fixture = await logOf({ retentionMs: -1, segmentMs: HOUR_MS, segmentBytes: 10_000 }, 1);
    await fixture.log.applyRetention(THEN_MS);
    await fixture.log.applyRetention(THEN_MS + HOUR_MS);
    expect(await bases(fixture)).toEqual([0]);
    await fixture.log.applyRetention(THEN_MS + HOUR_MS + 1);
    await fixture.settled();
    expect(await bases(fixture)).toEqual([0, 2]);
    expect(fixture.log.logStartOffset).toBe(0);
    expect(await fixture.values()).toEqual(['a0', 'b0']);
  });

  it('is not counted while it is empty', async () => {
    const fixture = await logOf({ retentionMs: 1, segmentMs: HOUR_MS, segmentBytes: 10_000 }, 0);
    await fixture.log.applyRetention(THEN_MS);
    fixture.append(['first'], { timeMs: THEN_MS + 50 * HOUR_MS });
    await fixture.flushed();
    await fixture.log.applyRetention(THEN_MS + 50 * HOUR_MS);
    await fixture.settled();
    expect(await bases(fixture)).toEqual([0]);
  });

  it('at which it is closed is another for each log with jitter, within its bounds, and never changes', () => {
    const config = { ...DEFAULT_LOG_CONFIG, segmentMs: 1_000, segmentJitterMs: 400 };
    const { files } = new LogFixture();
    const ages = Array.from({ length: 50 }, (_, i) => rollAgeMs(config, new Segment(files, `/d/t-${i}`, 0)));
    for (const age of ages) expect(age > 600 && age <= 1_000).toBe(true);
    expect(new Set(ages).size).toBeGreaterThan(30);
    expect(rollAgeMs(config, new Segment(files, '/d/t-7', 0))).toBe(ages[7]);
    expect(rollAgeMs({ ...config, segmentJitterMs: 0 }, new Segment(files, '/d/t-7', 0))).toBe(1_000);
  });

  it('by jitter closes it earlier when records come', async () => {
    const fixture = await logOf({ segmentBytes: 10_000, segmentMs: HOUR_MS, segmentJitterMs: HOUR_MS }, 1);
    const ageMs = rollAgeMs(fixture.log.config, new Segment(fixture.files, '/data/t-0', 0));
    fixture.append(['in time'], { timeMs: THEN_MS + ageMs });
    await fixture.flushed();
    expect(await bases(fixture)).toEqual([0]);
    fixture.append(['late'], { timeMs: THEN_MS + ageMs + 2 });
    await fixture.flushed();
    expect(await bases(fixture)).toEqual([0, 3]);
  });
});

describe('a head that is removed', () => {
  it('goes also when the file of its successor was not there yet', async () => {
    const fixture = await logOf({}, 1);
    const { release, arrived } = fixture.hold('open', '00000000000000000002.log');
    fixture.append(['c'], { timeMs: THEN_MS + HOUR_MS });
    await arrived;
    fixture.log.setHighWatermark(2);
    const advanced = fixture.log.advanceLogStart(2);
    for (let turn = 0; turn < 50; turn++) await undefined;
    release();
    await advanced;
    await fixture.flushed();
    await fixture.settled();
    expect(await bases(fixture)).toEqual([2]);
    expect(await fixture.values()).toEqual(['c']);
  });
});

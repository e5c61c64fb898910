import { describe, expect, it } from 'vitest';
import { CompactionFixture } from './compaction/compaction-fixture.ts';
import { LogFixture } from './log-fixture.ts';

/** Ten records, two in a segment; the first without a timestamp: each look for old ones reads its index. */
async function timeless(others = -1): Promise<LogFixture> {
  const fixture = await LogFixture.open({
    tailCacheBytes: 0,
    config: { segmentBytes: 200, retentionMs: 10 },
  });
  for (let i = 0; i < 10; i++) fixture.append([`value ${i}`], { timeMs: i < 2 ? -1 : others });
  await fixture.flushed();
  fixture.log.setHighWatermark(10);
  await fixture.log.applyRetention(0);
  expect(fixture.log.logStartOffset).toBe(0);
  return fixture;
}

describe('while retention looks for old segments', () => {
  it('a cut may bring new records to their place: none of them goes', async () => {
    const fixture = await timeless(1);
    // Nobody has it open.
    await fixture.values(6);
    const { arrived, release } = fixture.hold('open', `${'0'.repeat(20)}.log`);
    const retention = fixture.log.applyRetention(1000);
    await arrived;
    await fixture.log.truncateTo(4);
    for (let i = 0; i < 10; i++) fixture.append([`new ${i}`], { timeMs: 1000 });
    await fixture.flushed();
    fixture.log.setHighWatermark(14);
    release();
    await retention;
    expect(fixture.log.logStartOffset).toBe(0);
    expect(await fixture.values(4)).toHaveLength(10);
  });

  it('a segment that turns out to be damaged takes the log offline', async () => {
    const fixture = await timeless();
    await fixture.values(6);
    const path = `${fixture.log.directory}/${'0'.repeat(20)}`;
    await fixture.files.remove(`${path}.index`);
    fixture.files.flipBit(`${path}.log`, 70 * 8);
    await fixture.manager.applyRetention(1000);
    expect(fixture.log.failure?.message).toMatch(/damaged/);
  });

  it('a refusal of the moment ends the look, and the next one goes on', async () => {
    const fixture = await timeless();
    await fixture.values(6);
    fixture.files.failNext({
      operation: 'open',
      path: `${'0'.repeat(20)}.log`,
      reason: 'too-many-open-files',
    });
    await expect(fixture.log.applyRetention(1000)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    expect(fixture.log.failure).toBeUndefined();
    await fixture.log.applyRetention(1000);
    expect(fixture.log.logStartOffset).toBe(10);
  });
});

it('records without a timestamp do not grow younger by being compacted', async () => {
  const config = { deletes: true, retentionMs: 1000, segmentBytes: 300 };
  const fixture = await CompactionFixture.open({ config });
  fixture.nowMs = -1;
  for (let i = 0; i < 40; i++) fixture.put([{ key: `k${i % 5}`, value: `${i}` }]);
  await fixture.settle();
  await fixture.log.applyRetention(1);
  fixture.nowMs = 500;
  expect(await fixture.clean()).toMatchObject({ kind: 'cleaned' });
  expect((await fixture.records()).length).toBeLessThan(20);
  expect(fixture.log.logStartOffset).toBe(0);
  await fixture.log.applyRetention(1002);
  expect(fixture.log.logStartOffset).toBe(40);
});

it('records without a timestamp are as old as the last of their segment, which may have come since', async () => {
  const fixture = await LogFixture.open({ config: { retentionMs: 10 } });
  const look = async (nowMs: number) => {
    await fixture.flushed();
    fixture.log.setHighWatermark(fixture.log.logEndOffset);
    await fixture.log.applyRetention(nowMs);
    return fixture.log.logStartOffset;
  };
  fixture.append(['a'], { timeMs: -1 });
  expect(await look(0)).toBe(0);
  fixture.append(['b'], { timeMs: -1 });
  expect(await look(11)).toBe(0);
  expect(await look(21)).toBe(0);
  expect(await look(22)).toBe(2);
});

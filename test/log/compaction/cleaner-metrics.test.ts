import { describe, expect, it } from 'vitest';
import { Broker } from './broker-fixture.ts';

const figures = (broker: Broker, ...names: string[]) =>
  names.map((name) => broker.environment.metrics.value(`log_cleaner_${name}`));

describe('the figures of the cleaner', () => {
  it('tell how long the last compaction took, what it kept, and how full its memory was', async () => {
    const broker = await Broker.open();
    const names = ['max_clean_time_ms', 'recopy_percent', 'max_buffer_utilization_percent'];
    expect(figures(broker, ...names)).toEqual([0, 0, 0]);
    const log = await broker.create('t');
    await broker.fill(log, 100, 30);
    broker.bytesPerSecond = 20_000;
    // Thirty keys, and room for three hundred if that many were needed.
    broker.keyMapBytes = 400 * 24;
    const { scheduler } = broker.environment;
    const beganMs = scheduler.nowMs;
    await scheduler.finish(broker.compact());
    const [tookMs = 0, recopied, used] = figures(broker, ...names);
    expect(tookMs).toBeGreaterThan(0);
    expect(tookMs).toBeLessThanOrEqual(scheduler.nowMs - beganMs);
    // Thirty of a hundred, and a header for each segment.
    expect(recopied).toBeGreaterThan(20);
    expect(recopied).toBeLessThan(60);
    expect(used).toBe(10);
  });

  it('tell how dirty the dirtiest log is, due or not, and when that was last looked at', async () => {
    const broker = await Broker.open();
    const names = ['max_dirty_percent', 'time_since_last_run_ms'];
    expect(figures(broker, ...names)).toEqual([0, -1]);
    const log = await broker.create('t', { minCleanableDirtyRatio: 1 });
    await broker.fill(log, 30);
    await broker.compact();
    await broker.environment.scheduler.run(1234);
    expect(figures(broker, ...names)).toEqual([100, 1234]);
    log.config = { ...log.config, minCleanableDirtyRatio: 0 };
    await broker.compact();
    expect(figures(broker, ...names)).toEqual([0, 0]);
  });

  it('tell for how long a log has waited beyond max.compaction.lag.ms', async () => {
    const broker = await Broker.open();
    const log = await broker.create('t', { maxCompactionLagMs: 5000 });
    await broker.fill(log, 30);
    await broker.environment.scheduler.run(7000);
    broker.keyMapBytes = 24;
    await broker.compact();
    expect(figures(broker, 'max_compaction_delay_ms')).toEqual([2000]);
    broker.keyMapBytes = 1_000_000;
    await broker.environment.scheduler.run(60_000);
    await broker.compact();
    expect(figures(broker, 'max_compaction_delay_ms')).toEqual([0]);
  });

  it('count the logs whose last compaction failed, and their bytes, until one succeeds', async () => {
    const broker = await Broker.open();
    const names = ['uncleanable_partitions', 'uncleanable_bytes'];
    const [full, fine] = [await broker.create('full'), await broker.create('fine')];
    for (const log of [full, fine]) await broker.fill(log, 30);
    expect(figures(broker, ...names)).toEqual([0, 0]);
    broker.environment.files.failNext({
      operation: 'write',
      path: 'full-0/00000000000000000000.log.cleaned',
      reason: 'disk-full',
    });
    await broker.compact();
    expect(figures(broker, ...names)).toEqual([1, full.sizeBytes]);
    await broker.environment.scheduler.run(60_001);
    expect(figures(broker, ...names)).toEqual([1, full.sizeBytes]);
    await broker.compact();
    expect(figures(broker, ...names)).toEqual([0, 0]);
  });
});

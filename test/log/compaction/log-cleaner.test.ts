import { describe, expect, it } from 'vitest';
import type { PartitionLog } from '../../../src/log/index.ts';
import { Broker } from './broker-fixture.ts';

const cleaned = (log: PartitionLog) => log.firstDirtyOffset > 0;

describe('the cleaner', () => {
  it('compacts the logs that are due, the dirtiest first, and no others', async () => {
    const broker = await Broker.open();
    const half = await broker.create('half');
    await broker.fill(half, 30);
    await broker.compact();
    const rest = half.sizeBytes;
    const all = await broker.create('all');
    const deleted = await broker.create('deleted', { compacts: false, deletes: true });
    for (const log of [half, all, deleted]) await broker.fill(log, 30);
    await broker.compact();
    expect(broker.logged('compacted a log').map((fields) => fields.topic)).toEqual(['half', 'all', 'half']);
    expect([cleaned(all), cleaned(deleted)]).toEqual([true, false]);
    expect(half.sizeBytes).toBeLessThan(rest * 2);
    await broker.compact();
    expect(broker.logged('compacted a log')).toHaveLength(3);
  });

  it('goes on with a log until all of it is clean, however little memory it has', async () => {
    const broker = await Broker.open();
    broker.keyMapBytes = 6 * 32;
    const log = await broker.create('many');
    await broker.fill(log, 80, 20);
    await broker.compact();
    expect(broker.logged('compacted a log').length).toBeGreaterThan(3);
    expect(log.firstDirtyOffset).toBeGreaterThan(30);
  });

  it('remembers over a crash what is clean', async () => {
    const broker = await Broker.open();
    const log = await broker.create('t');
    await broker.fill(log, 30);
    await broker.compact();
    const again = await Broker.open(broker.environment.crash());
    expect(again.manager.find('t', 0)?.firstDirtyOffset).toBe(log.firstDirtyOffset);
  });

  it('goes on with the next log when it cannot save where one is clean', async () => {
    const broker = await Broker.open();
    const { files } = broker.environment;
    const logs = [await broker.create('one'), await broker.create('other')];
    for (const log of logs) await broker.fill(log, 30);
    files.failNext({ operation: 'write', path: 'cleaner-offset-checkpoint', reason: 'disk-full' });
    await broker.compact();
    expect(logs.map(cleaned)).toEqual([true, true]);
    expect(logs.map(({ failure }) => failure)).toEqual([undefined, undefined]);
  });

  it('leaves a log alone for a time when its result cannot be written, and hinders no other', async () => {
    const broker = await Broker.open();
    const { files, scheduler } = broker.environment;
    const [full, fine] = [await broker.create('full'), await broker.create('fine')];
    for (const log of [full, fine]) await broker.fill(log, 30);
    files.failNext({
      operation: 'write',
      path: 'full-0/00000000000000000000.log.cleaned',
      reason: 'disk-full',
    });
    await broker.compact();
    expect([cleaned(full), cleaned(fine)]).toEqual([false, true]);
    expect(full.failure).toBeUndefined();
    expect((await files.list('/data/full-0')).filter((name) => name.includes('cleaned'))).toEqual([]);
    await broker.fill(full, 30);
    await broker.compact();
    expect(cleaned(full)).toBe(false);
    await scheduler.run(60_000);
    await broker.compact();
    expect(cleaned(full)).toBe(true);
  });

  it('takes a damaged log offline, and hinders no other', async () => {
    const broker = await Broker.open();
    const [bad, fine] = [await broker.create('bad'), await broker.create('fine')];
    for (const log of [bad, fine]) await broker.fill(log, 30);
    broker.environment.files.damage('/data/bad-0/00000000000000000000.log', (bytes) => {
      const copy = Uint8Array.from(bytes);
      copy[70] = (copy[70] ?? 0) ^ 1;
      return copy;
    });
    await broker.compact();
    expect(bad.failure?.message).toMatch(/damaged/);
    expect([cleaned(bad), cleaned(fine)]).toEqual([false, true]);
  });

  it('says which key to change when the memory holds not even one batch', async () => {
    const broker = await Broker.open();
    broker.keyMapBytes = 24;
    const log = await broker.create('t');
    await broker.fill(log, 30);
    await broker.compact();
    expect(broker.logged('log.cleaner.dedupe.buffer.size is too small')).toHaveLength(1);
    expect(log.failure).toBeUndefined();
  });

  it('reads and writes no faster than log.cleaner.io.max.bytes.per.second', async () => {
    const broker = await Broker.open();
    const { scheduler } = broker.environment;
    const log = await broker.create('t');
    await broker.fill(log, 100);
    const startMs = scheduler.nowMs;
    broker.bytesPerSecond = 2000;
    await scheduler.finish(broker.compact());
    // Once for the keys, once for the filter, but for the pause that an idle throttle allows.
    expect(scheduler.nowMs - startMs).toBeGreaterThan(((100 * 110 * 2) / 2000) * 1000 * 0.7);
    expect(cleaned(log)).toBe(true);
  });

  it('ends at a stop, also while it waits for its turn to read', async () => {
    const broker = await Broker.open();
    const { scheduler } = broker.environment;
    const log = await broker.create('t');
    await broker.fill(log, 100);
    broker.bytesPerSecond = 1;
    const compacting = broker.compact();
    await scheduler.run(1000);
    await broker.manager.close({ brokerEpoch: 1 });
    await compacting;
    expect(cleaned(log)).toBe(false);
    const again = await Broker.open(broker.environment.kill());
    expect(again.manager.cleanShutdownEpoch).toBe(1);
  });

  it('lets a log go that is deleted while it is compacted', async () => {
    const broker = await Broker.open();
    const { scheduler, files } = broker.environment;
    const [log, other] = [await broker.create('t'), await broker.create('other')];
    for (const one of [log, other]) await broker.fill(one, 100);
    broker.bytesPerSecond = 20_000;
    const compacting = broker.compact();
    await scheduler.run(1);
    const busy = files.list('/data/t-0').then((names) => names.length);
    expect(await busy).toBeGreaterThan(0);
    await broker.manager.delete('t', 0);
    await scheduler.finish(compacting);
    expect(cleaned(other)).toBe(true);
    expect(await files.list('/data')).not.toContain('t-0');
  });

  it('compacts a log with a record older than max.compaction.lag.ms, however little of it is dirty', async () => {
    const broker = await Broker.open();
    const log = await broker.create('t', { minCleanableDirtyRatio: 1, maxCompactionLagMs: 5000 });
    await broker.fill(log, 30);
    await broker.compact();
    expect(cleaned(log)).toBe(false);
    await broker.environment.scheduler.run(5001);
    await broker.compact();
    expect(cleaned(log)).toBe(true);
  });

  it('does nothing to a topic that is not compacted any more, and goes on when it is again', async () => {
    const broker = await Broker.open();
    const log = await broker.create('t');
    await broker.fill(log, 30);
    log.config = { ...log.config, compacts: false, deletes: true };
    await broker.compact();
    expect(cleaned(log)).toBe(false);
    log.config = { ...log.config, compacts: true };
    await broker.compact();
    expect(cleaned(log)).toBe(true);
  });
});

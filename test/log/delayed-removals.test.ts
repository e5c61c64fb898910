import { describe, expect, it } from 'vitest';
import { EnvironmentError } from '../../src/base/index.ts';
import { DelayedRemovals, type Doomed } from '../../src/log/segment/delayed-removals.ts';
import { RecordingLogger, Scheduler, VirtualTimers } from '../../src/testing/twins/index.ts';
import { LogFixture, TOPIC_ID, valuesOf } from './log-fixture.ts';

const DELAY_MS = 60_000;

/** Five segments of one record each, committed, on a clock of their own. */
async function world(delayMs = DELAY_MS) {
  const scheduler = new Scheduler();
  const config = { segmentBytes: 150, fileDeleteDelayMs: delayMs, indexIntervalBytes: 0 };
  const fixture = await LogFixture.open({
    timers: new VirtualTimers(scheduler),
    tailCacheBytes: 0,
    config,
  });
  for (let i = 0; i < 5; i++) fixture.append([`${i}`.repeat(40)]);
  await fixture.flushed();
  fixture.log.setHighWatermark(5);
  const names = () => fixture.files.list('/data/t-0');
  const deleted = async () => (await names()).filter((name) => name.endsWith('.deleted'));
  return { fixture, scheduler, names, deleted };
}

describe('segments that have left the log', () => {
  it('keep their bytes under another name for file.delete.delay.ms, and then go', async () => {
    const { fixture, scheduler, names, deleted } = await world();
    await fixture.log.advanceLogStart(2);
    expect((await deleted()).filter((name) => name.includes('.log'))).toEqual([
      '00000000000000000000.log.deleted',
      '00000000000000000001.log.deleted',
    ]);
    expect(await names()).not.toContain('00000000000000000000.log');
    await scheduler.run(DELAY_MS - 1);
    expect(await deleted()).not.toEqual([]);
    await scheduler.run(2);
    expect(await deleted()).toEqual([]);
    expect(await fixture.values()).toHaveLength(3);
  });

  it('are still read to the end by who has begun to read them', async () => {
    const { fixture } = await world();
    const held = fixture.hold('read', '00000000000000000000.log');
    const reading = fixture.log.read(0, { maxBytes: 10, upperBound: 5, atLeastOne: true });
    await held.arrived;
    await fixture.log.advanceLogStart(3);
    held.release();
    expect(valuesOf(await reading)).toEqual(['0'.repeat(40)]);
    expect(() => fixture.log.read(0, { maxBytes: 10, upperBound: 5, atLeastOne: true })).toThrow('outside');
  });

  it('are gone for a reader that took longer than the delay', async () => {
    const { fixture, scheduler } = await world();
    const held = fixture.hold('read', '00000000000000000000.log');
    const reading = fixture.log.read(0, { maxBytes: 10, upperBound: 5, atLeastOne: true });
    await held.arrived;
    await fixture.log.advanceLogStart(3);
    await scheduler.run(DELAY_MS + 1);
    held.release();
    await expect(reading).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    expect(fixture.log.failure).toBeUndefined();
  });

  for (const stop of ['restart', 'kill', 'crash'] as const)
    it(`are removed at the start after a ${stop}, as indexes without their log are`, async () => {
      const { fixture, names, deleted } = await world();
      await fixture.log.advanceLogStart(2);
      const orphan = await fixture.files.open('/data/t-0/00000000000000000001.timeindex', 'create');
      await orphan.close();
      await fixture[stop]();
      expect(await deleted()).toEqual([]);
      expect(await names()).not.toContain('00000000000000000001.timeindex');
      expect(fixture.log).toMatchObject({ failure: undefined, logStartOffset: 2, logEndOffset: 5 });
      expect(await fixture.values()).toHaveLength(3);
    });

  it('stay away whatever a crash takes, once that has resolved', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { fixture } = await world();
      await fixture.log.advanceLogStart(3);
      expect(fixture.log.durableLogStartOffset).toBe(3);
      await fixture.crash(seed);
      expect(fixture.log.logStartOffset, `seed ${seed}`).toBe(3);
    }
  });

  it('leave no hole when the power fails at any moment of it', async () => {
    for (let turns = 0; turns < 60; turns++) {
      const { fixture } = await world(turns % 2 === 0 ? 0 : DELAY_MS);
      fixture.log.advanceLogStart(4).catch(() => {});
      for (let turn = 0; turn < turns; turn++) await undefined;
      await fixture.crash(turns);
      const { failure, logStartOffset } = fixture.log;
      expect(failure, `after ${turns} turns`).toBeUndefined();
      expect(await fixture.values()).toHaveLength(5 - logStartOffset);
    }
  });
});

describe('the directory of a deleted log', () => {
  it('loses its name at once and goes after the delay; one of the same name owes nothing to it', async () => {
    const { fixture, scheduler } = await world();
    const asides = () => fixture.files.paths().filter((path) => path.includes('-delete'));
    await fixture.manager.delete('t', 0);
    expect(asides()).not.toEqual([]);
    const log = await fixture.manager.create('t', 0, TOPIC_ID, fixture.config);
    expect(log.logEndOffset).toBe(0);
    await scheduler.run(DELAY_MS + 1);
    expect(asides()).toEqual([]);
    expect(fixture.files.paths()).toContain('/data/t-0/00000000000000000000.log');
  });

  it('is removed at the next start when the process ends before', async () => {
    const { fixture } = await world();
    await fixture.manager.delete('t', 0);
    await fixture.restart();
    expect(fixture.files.paths().filter((path) => path.includes('-delete'))).toEqual([]);
    expect(fixture.log.logEndOffset).toBe(0);
  });
});

describe('removals', () => {
  function doomed(events: string[], path: string, remove: () => Promise<void> = async () => {}): Doomed {
    return {
      path,
      async remove() {
        events.push(`${path} begins`);
        await remove();
        events.push(`${path} ends`);
      },
      async close() {
        events.push(`${path} closed`);
      },
    };
  }

  it('are carried out one after another, and a disk that refuses one keeps no other', async () => {
    const scheduler = new Scheduler();
    const logger = new RecordingLogger();
    const removals = new DelayedRemovals(logger, new VirtualTimers(scheduler));
    const events: string[] = [];
    const slow = () => new Promise<void>((resolve) => scheduler.after(50, resolve));
    const refused = () => Promise.reject(new EnvironmentError('io-error', 'b', 'no'));
    await removals.add(doomed(events, 'a', slow), 10);
    await removals.add(doomed(events, 'b', refused), 20);
    await removals.add(doomed(events, 'c'), 30);
    expect(removals.waitingCount).toBe(3);
    await scheduler.run(200);
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'c begins', 'c ends']);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('that wait at the end are closed and left to the next start', async () => {
    const scheduler = new Scheduler();
    const removals = new DelayedRemovals(new RecordingLogger(), new VirtualTimers(scheduler));
    const events: string[] = [];
    await removals.add(doomed(events, 'a'), 10);
    await removals.close();
    await removals.add(doomed(events, 'b'), 10);
    await scheduler.run(100);
    expect(events).toEqual(['a closed', 'b closed']);
  });
});

import { describe, expect, it } from 'vitest';
import { CompactionFixture } from './compaction/compaction-fixture.ts';
import { LogFixture } from './log-fixture.ts';

/** The process is killed while it syncs the directory of the log; then nothing is held back any more. */
async function killAtDirectorySync(fixture: LogFixture, begin: () => unknown): Promise<void> {
  const { files } = fixture;
  const perform = files.perform;
  const { arrived } = fixture.hold('sync-directory', 't-0');
  begin();
  await arrived;
  files.perform = perform;
  return fixture.kill();
}

describe('names that a killed process left in memory alone', () => {
  it('are made durable before what was decided by them is carried out', async () => {
    for (let turns = 0; turns < 200; turns += 3)
      for (const seed of [1, 2, 3]) {
        const fixture = await CompactionFixture.open({ config: { segmentBytes: 200 } });
        for (let i = 0; i < 24; i++) fixture.put([{ key: `k${i % 3}`, value: `${i}` }]);
        await fixture.settle();
        const truth = await fixture.table();
        const { files } = fixture;
        const perform = files.perform;
        const { arrived } = fixture.hold('sync-directory', 't-0');
        fixture.clean().catch(() => {});
        await arrived;
        files.perform = perform;
        void fixture.kill();
        for (let turn = 0; turn < turns; turn++) await undefined;
        await fixture.crash(seed);
        expect(fixture.log.failure, `${turns} ${seed}`).toBeUndefined();
        expect(await fixture.table()).toEqual(truth);
      }
  });

  it('of segments that a cut removed do not come back behind what was appended in their place', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const fixture = await LogFixture.open({ config: { segmentBytes: 200 } });
      for (let i = 0; i < 10; i++) fixture.append([`value ${i}`]);
      await fixture.flushed();
      await fixture.manager.checkpointHighWatermarks();
      const last = fixture.log.segmentBaseOf(9);
      expect(last).toBeGreaterThan(2);
      await killAtDirectorySync(fixture, () => fixture.log.truncateTo(last).catch(() => {}));
      const kept = await fixture.values();
      // The segment before goes on where the removed one began: it was not closed for its size.
      fixture.log.config = { ...fixture.log.config, segmentBytes: 10_000 };
      for (let i = 0; i < 6; i++) fixture.append([`other ${i}`]);
      await fixture.flushed();
      const all = await fixture.values();
      expect(all.length).toBe(kept.length + 6);
      await fixture.crash(seed);
      expect(fixture.log.failure, `${seed}`).toBeUndefined();
      expect(await fixture.values()).toEqual(all);
    }
  });

  it('of a head that was deleted do not come back either: the log start stays', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const fixture = await LogFixture.open({ config: { segmentBytes: 200 } });
      for (let i = 0; i < 10; i++) fixture.append([`value ${i}`]);
      await fixture.flushed();
      fixture.log.setHighWatermark(10);
      await fixture.manager.checkpointHighWatermarks();
      const middle = fixture.log.segmentBaseOf(5);
      await killAtDirectorySync(fixture, () => fixture.log.advanceLogStart(middle).catch(() => {}));
      const durable = fixture.log.durableLogStartOffset;
      expect(durable).toBeGreaterThan(0);
      await fixture.crash(seed);
      expect(fixture.log.failure).toBeUndefined();
      expect(fixture.log.logStartOffset).toBeGreaterThanOrEqual(durable);
    }
  });
});

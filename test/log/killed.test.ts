import { describe, expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);

describe('names that a killed process left in the memory of the system', () => {
  it('are durable before checkpoints are taken at their word', async () => {
    for (const seed of SEEDS) {
      const fixture = await LogFixture.open();
      fixture.append(['a']);
      await fixture.flushed();
      await fixture.manager.checkpointHighWatermarks();
      // Lowered for a cut that does not come.
      fixture.files.failNext({ operation: 'sync-directory', path: '/data', reason: 'io-error' });
      await expect(fixture.log.truncateTo(0)).rejects.toThrow();
      await fixture.kill();
      await fixture.log.truncateTo(0);
      await fixture.crash(seed);
      expect(fixture.log.failure, `seed ${seed}`).toBeUndefined();
      expect(fixture.log.logEndOffset).toBe(0);
    }
  });

  it('are durable before anything counts as flushed in a log that was just made', async () => {
    for (const seed of SEEDS) {
      const fixture = new LogFixture();
      const after = 1 + (seed % 4);
      fixture.files.failNext({ operation: 'sync-directory', path: '/data', after, reason: 'io-error' });
      await fixture.reopen().catch(() => {});
      await fixture.kill();
      fixture.append(['a']);
      await fixture.flushed();
      await fixture.crash(seed);
      expect(await fixture.values(), `seed ${seed}`).toEqual(['a']);
    }
  });

  it('and bytes of which a sync failed are written again before they count', async () => {
    for (const seed of SEEDS) {
      const fixture = await LogFixture.open();
      fixture.append(['a']);
      await fixture.flushed();
      fixture.files.failNext({ operation: 'sync', path: '.log', reason: 'io-error' });
      fixture.append(['b']);
      await expect(fixture.flushed()).rejects.toThrow();
      await fixture.kill();
      const { flushedOffset } = fixture.log;
      await fixture.crash(seed);
      expect(fixture.log.logEndOffset, `seed ${seed}`).toBeGreaterThanOrEqual(flushedOffset);
    }
  });
});

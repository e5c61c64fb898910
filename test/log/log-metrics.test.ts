import { describe, expect, it } from 'vitest';
import { CorruptionError } from '../../src/base/index.ts';
import { ScrubWorld } from './scrub/scrub-world.ts';

describe('the figures of the logs', () => {
  it('count appended batches and bytes, and sum sizes and segments over all logs', async () => {
    const world = await ScrubWorld.open();
    const logs = [await world.filled('a', 20), await world.filled('b', 5)];
    const sizeBytes = logs.reduce((sum, log) => sum + log.sizeBytes, 0);
    expect(world.metric('log_append_batches_total')).toBe(25);
    expect(world.metric('log_append_bytes_total')).toBe(sizeBytes);
    expect(world.metric('log_size_bytes')).toBe(sizeBytes);
    expect(world.metric('log_segments')).toBe(
      logs.reduce((sum, log) => sum + log.closed.list().length + 1, 0),
    );
    expect(world.metric('log_offline')).toBe(0);
    logs[1]?.takeOffline(new CorruptionError('/data/u-0', 0, 'a batch', 'another'));
    expect(world.metric('log_offline')).toBe(1);
    await world.stop();
  });

  it('tell how long each sync took', async () => {
    const world = await ScrubWorld.open({ diskMs: 8 });
    await world.filled('a', 1);
    const observed = world.environment.metrics.observed('log_flush_ms');
    expect(observed).toHaveLength(1);
    expect(observed[0]).toBeGreaterThan(0);
    expect(observed[0]).toBeLessThan(8);
    await world.stop();
  });
});

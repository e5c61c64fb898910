import { describe, expect, it } from 'vitest';
import { CorruptionError } from '../../src/base/index.ts';
import { DEFAULT_LOG_CONFIG, openLogManager } from '../../src/log/index.ts';
import { BatchBuilder } from '../../src/log/record/index.ts';
import { TOPIC_ID } from './log-fixture.ts';
import { ScrubWorld } from './scrub/scrub-world.ts';

describe('the figures of the logs', () => {
  it('count produced batches that were there already', async () => {
    const world = await ScrubWorld.open();
    const log = await world.filled('a', 0);
    const repeated = (): Uint8Array => {
      const builder = new BatchBuilder({
        compression: 'none',
        producerId: 7,
        producerEpoch: 0,
        baseSequence: 0,
      });
      builder.append({ value: Buffer.from('v'), timestampMs: 1 });
      return builder.build();
    };
    for (let i = 0; i < 3; i++) log.appendAsLeader(repeated(), { leaderEpoch: 0, nowMs: 1 });
    expect(world.metric('log_append_repetitions_total')).toBe(2);
  });

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

  it('count the directories that are offline, those that have been so since the start included', async () => {
    const { environment } = await ScrubWorld.open();
    const manager = await openLogManager({
      directories: [{ path: '/x' }, { path: '/y', failure: new Error('no such disk') }, { path: '/z' }],
      environment,
      defaults: DEFAULT_LOG_CONFIG,
      tailCacheBytes: 0,
    });
    const count = () => environment.metrics.value('log_directories_offline');
    expect(count()).toBe(1);
    environment.files.failNext({ operation: 'make-directory', path: '/x/t-0', reason: 'io-error' });
    await expect(manager.create('t', 0, TOPIC_ID, DEFAULT_LOG_CONFIG)).rejects.toThrow();
    expect(count()).toBe(2);
  });
});

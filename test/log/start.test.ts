import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { type Logger, SILENT } from '../../src/env/index.ts';
import { DEFAULT_LOG_CONFIG, openLogManager } from '../../src/log/index.ts';
import { LoadProgress } from '../../src/log/open/load-progress.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';
import { batchOf, LogFixture, TOPIC_ID } from './log-fixture.ts';

/** Notes what is told to the operator. */
function notingLogger(told: unknown[]): Logger {
  return { ...SILENT, info: (fields, message) => void told.push({ ...fields, message }) };
}

describe('a start that takes long', () => {
  it('tells every five seconds how much is left and how long it will take', () => {
    const told: unknown[] = [];
    let now = 100;
    const progress = new LoadProgress(notingLogger(told), () => now);
    progress.begin(2, 1000);
    now += 4999;
    progress.recovered(100);
    now += 1;
    progress.recovered(150);
    progress.opened();
    now += 1000;
    progress.recovered(750);
    progress.opened();
    expect(told).toEqual([
      { message: 'recovering logs after an unclean stop', logs: 2, bytes: 1000 },
      { message: 'opening logs', logs: 2, logsLeft: 2, bytesLeft: 750, leftMs: 15_000 },
      { message: 'logs are open', logs: 2, recoveredBytes: 1000, takenMs: 6000 },
    ]);
    expect([progress.logsLeft, progress.bytesLeft]).toEqual([0, 0]);
  });

  it('counts what an unclean stop makes it read again, and nothing after a clean one', async () => {
    const files = new MemoryFiles();
    const told: unknown[] = [];
    const open = () =>
      openLogManager({
        directories: [{ path: '/data' }],
        environment: { files, logger: notingLogger(told), random: new SeededRandom(1, 'logs') },
        defaults: DEFAULT_LOG_CONFIG,
        tailCacheBytes: 0,
      });
    const manager = await open();
    for (const partition of [0, 1]) {
      const log = await manager.create('t', partition, TOPIC_ID, DEFAULT_LOG_CONFIG);
      log.appendAsLeader(batchOf(['a']), { leaderEpoch: 0, nowMs: 0 });
      await log.whenFlushed(1);
    }
    files.kill(new SeededRandom(1));
    const bytes = 2 * batchOf(['a']).length;
    await (await open()).close({ brokerEpoch: 1 });
    await open();
    expect(told).toEqual([
      { message: 'recovering logs after an unclean stop', logs: 2, bytes },
      { message: 'logs are open', logs: 2, recoveredBytes: bytes, takenMs: 0 },
      { message: 'logs are open', logs: 2, recoveredBytes: 0, takenMs: 0 },
    ]);
  });
});

describe('a start after a kill', () => {
  it('syncs what the recovery point does not vouch for, and nothing else', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a']);
    await fixture.flushed();
    const syncsAtStart = async () => {
      const seen = fixture.watch('00000000000000000000.log');
      await fixture.kill();
      return seen.filter((operation) => operation === 'sync').length;
    };
    expect(await syncsAtStart()).toBe(1);
    await fixture.manager.checkpointHighWatermarks();
    expect(await syncsAtStart()).toBe(0);
    const held = fixture.hold('sync', '00000000000000000000.log');
    fixture.append(['b']);
    await fixture.log.whenWritten(2);
    held.release();
    expect(await syncsAtStart()).toBe(1);
    expect(await fixture.values()).toEqual(['a', 'b']);
  });
});

describe('checkpoints', () => {
  it('are written only when they say something new', async () => {
    const fixture = await LogFixture.open();
    const written: string[] = [];
    const perform = fixture.files.perform.bind(fixture.files);
    fixture.files.perform = (operation, path, effect) => {
      if (operation === 'rename') written.push(path);
      return perform(operation, path, effect);
    };
    const count = async () => {
      written.length = 0;
      await fixture.manager.checkpointHighWatermarks();
      return written.length;
    };
    expect(await count()).toBeGreaterThan(1);
    expect(await count()).toBe(0);
    fixture.append(['a']);
    await fixture.flushed();
    expect(await count()).toBe(1);
    expect(written[0]).toMatch(/recovery-point/);
    expect(await count()).toBe(0);
  });

  it('are all written again after a save that failed', async () => {
    const fixture = await LogFixture.open();
    await fixture.manager.checkpointHighWatermarks();
    fixture.append(['a']);
    await fixture.flushed();
    const path = '/data/recovery-point-offset-checkpoint.tmp';
    fixture.files.failNext({ operation: 'sync', path, reason: 'disk-full' });
    await expect(fixture.manager.checkpointHighWatermarks()).rejects.toMatchObject({ reason: 'disk-full' });
    await fixture.manager.checkpointHighWatermarks();
    fixture.files.kill(new SeededRandom(1));
    await fixture.reopen();
    expect(fixture.log.recoveryPoint).toBe(1);
  });
});

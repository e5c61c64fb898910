import { describe, expect, it } from 'vitest';
import { ZERO_UUID } from '../../src/base/index.ts';
import { batchOf, LogFixture, TOPIC_ID } from './log-fixture.ts';

const FIRST = '/data/t-0/00000000000000000000.log';

const filled = async (config: { segmentBytes?: number } = {}): Promise<LogFixture> => {
  const fixture = await LogFixture.open({ config: { indexIntervalBytes: 0, ...config } });
  for (let i = 0; i < 6; i++) fixture.append([`${i}`.repeat(40)]);
  await fixture.flushed();
  return fixture;
};

describe('opening a log', () => {
  it('after an unclean stop cuts at the first bad batch above the recovery point', async () => {
    const fixture = await filled();
    fixture.files.damage(FIRST, (bytes) => bytes.subarray(0, bytes.length - 10));
    await fixture.kill();
    expect(fixture.log.logEndOffset).toBe(5);
    fixture.append(['new']);
    expect((await fixture.values()).at(-1)).toBe('new');
  });

  it('below the recovery point a bad batch is damage: the log is offline, its bytes stay', async () => {
    const fixture = await filled();
    await fixture.manager.checkpointHighWatermarks();
    fixture.files.flipBit(FIRST, 8 * 150);
    const before = await fixture.files.stat(FIRST);
    await fixture.kill();
    expect(fixture.log.failure).toMatchObject({ name: 'CorruptionError' });
    expect(fixture.log.topicId).toBe(TOPIC_ID);
    expect(() => fixture.append(['x'])).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }));
    expect(await fixture.files.stat(FIRST)).toEqual(before);
    // The checkpoint must not forget what was promised.
    await fixture.manager.checkpointHighWatermarks();
    await fixture.kill();
    expect(fixture.log.failure).toMatchObject({ name: 'CorruptionError' });
  });

  it('a file that ends below the recovery point is damage too, clean stop or not', async () => {
    for (const stop of ['kill', 'restart'] as const) {
      const fixture = await filled();
      await fixture.manager.checkpointHighWatermarks();
      if (stop === 'restart') await fixture.manager.close({ brokerEpoch: 1 });
      fixture.files.damage(FIRST, (bytes) => bytes.subarray(0, 120));
      if (stop === 'restart') await fixture.reopen();
      else await fixture.kill();
      expect(fixture.log.failure, stop).toMatchObject({ name: 'CorruptionError' });
    }
  });

  const SECTOR_BYTES = 512;
  /** Two batches of one record; so many bytes of the second are in the first sector. */
  const astride = async (headBytes: number): Promise<LogFixture> => {
    const fixture = await LogFixture.open();
    const emptyBytes = batchOf(['x'.repeat(400)]).length - 400;
    fixture.append(['x'.repeat(SECTOR_BYTES - headBytes - emptyBytes)]);
    fixture.append(['second']);
    await fixture.flushed();
    return fixture;
  };

  it.each([8, 9, 10, 11])(
    'cuts a batch that lost the %i bytes of it in a sector that was not written',
    async (lost) => {
      const fixture = await astride(lost);
      fixture.files.damage(FIRST, (bytes) => bytes.fill(0, SECTOR_BYTES - lost, SECTOR_BYTES));
      await fixture.kill();
      expect(fixture.log).toMatchObject({ failure: undefined, logEndOffset: 1 });
    },
  );

  it.each([12, 200])(
    'a batch out of place whose first %i bytes are of one sector is damage',
    async (headBytes) => {
      const fixture = await astride(headBytes);
      const at = SECTOR_BYTES - headBytes;
      fixture.files.damage(FIRST, (bytes) => bytes.fill(0, at, at + 8));
      await fixture.kill();
      expect(fixture.log.failure).toMatchObject({ name: 'CorruptionError', position: at });
    },
  );

  it('makes indexes of closed segments anew when they are missing or make no sense', async () => {
    const fixture = await filled({ segmentBytes: 250 });
    const all = await fixture.values();
    for (const damage of ['remove', 'rot'] as const) {
      for (const path of fixture.files.paths().filter((name) => /index$/.test(name))) {
        if (damage === 'remove') await fixture.files.remove(path);
        else fixture.files.damage(path, () => Uint8Array.from({ length: 24 }, (_, i) => 255 - i));
      }
      await fixture.kill();
      expect(fixture.log.failure).toBeUndefined();
      expect(await fixture.values()).toEqual(all);
    }
  });

  it('damage in a closed segment whose index is lost takes the log offline', async () => {
    const fixture = await filled({ segmentBytes: 250 });
    fixture.files.flipBit(FIRST, 8 * 100);
    await fixture.files.remove('/data/t-0/00000000000000000000.index');
    await fixture.kill();
    expect(fixture.log.failure).toMatchObject({ name: 'CorruptionError', file: FIRST });
  });

  it('takes the high watermark from its checkpoint, never above the end', async () => {
    const fixture = await filled();
    expect(fixture.log.highWatermark).toBe(0);
    fixture.log.setHighWatermark(99);
    expect(fixture.log.highWatermark).toBe(6);
    fixture.log.setHighWatermark(4);
    await fixture.manager.checkpointHighWatermarks();
    await fixture.kill();
    expect(fixture.log.highWatermark).toBe(4);
  });

  it('reading a rotten file takes the log offline instead of handing out garbage', async () => {
    const fixture = await LogFixture.open({ tailCacheBytes: 0 });
    for (let i = 0; i < 6; i++) fixture.append([`${i}`.repeat(40)]);
    await fixture.flushed();
    fixture.files.damage(FIRST, (bytes) => bytes.fill(0, 0, 40));
    await expect(fixture.values()).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    expect(fixture.log.failure).toMatchObject({ name: 'CorruptionError' });
  });
});

describe('the directory of logs', () => {
  it('remembers a clean stop and its broker epoch once', async () => {
    const fixture = await LogFixture.open();
    expect(fixture.manager.cleanShutdownEpoch).toBe(-1);
    await fixture.restart();
    expect(fixture.manager.cleanShutdownEpoch).toBe(7);
    await fixture.kill();
    expect(fixture.manager.cleanShutdownEpoch).toBe(-1);
  });

  it('can be open once', async () => {
    const fixture = await LogFixture.open();
    await expect(fixture.reopen()).rejects.toMatchObject({ reason: 'locked' });
  });

  it('a deleted log is gone, and one made anew under its name owes nothing to it', async () => {
    const fixture = await filled();
    await fixture.manager.checkpointHighWatermarks();
    const other = ZERO_UUID.replace('A', 'B');
    await expect(fixture.manager.create('t', 0, other, fixture.config)).rejects.toMatchObject({
      code: 'INCONSISTENT_TOPIC_ID',
    });
    await fixture.manager.delete('t', 0);
    expect(fixture.manager.find('t', 0)).toBeUndefined();
    expect(fixture.files.paths().filter((path) => path.includes('t-0'))).toEqual([]);
    await fixture.manager.create('t', 0, other, fixture.config);
    await fixture.kill();
    expect(fixture.log).toMatchObject({ failure: undefined, topicId: other, logEndOffset: 0 });
  });

  it('retention removes whole old segments below the high watermark', async () => {
    const fixture = await LogFixture.open({
      config: { segmentBytes: 250, retentionMs: 100, retentionBytes: -1 },
    });
    for (let i = 0; i < 9; i++) fixture.append([`${i}`.repeat(40)], { timeMs: 1000 + 10 * i });
    await fixture.flushed();
    await fixture.manager.applyRetention(5000);
    expect(fixture.log.logStartOffset).toBe(0);
    fixture.log.setHighWatermark(9);
    await fixture.manager.applyRetention(1125);
    expect(fixture.log.logStartOffset).toBe(2);
    await fixture.manager.applyRetention(5000);
    expect(fixture.log.logStartOffset).toBe(9);
    await fixture.restart();
    expect(fixture.log.logStartOffset).toBe(9);
  });

  it('retention by size keeps at least the bytes asked for', async () => {
    const fixture = await LogFixture.open({
      config: { segmentBytes: 250, retentionMs: -1, retentionBytes: 500 },
    });
    for (let i = 0; i < 9; i++) fixture.append([`${i}`.repeat(40)]);
    await fixture.flushed();
    fixture.log.setHighWatermark(9);
    await fixture.manager.applyRetention(0);
    expect(fixture.log.sizeBytes).toBeGreaterThanOrEqual(500);
    expect(fixture.log.sizeBytes).toBeLessThan(500 + 250);
  });
});

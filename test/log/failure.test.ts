import { describe, expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

const LOG = '/data/t-0/00000000000000000000.log';

describe('a log whose disk fails', () => {
  for (const operation of ['write', 'sync'] as const) {
    it(`takes no more appends after the first failed ${operation}, and never tries again`, async () => {
      const fixture = await LogFixture.open();
      const { log } = fixture;
      let told = 0;
      log.onProgress(() => told++);
      fixture.files.failNext({ operation, path: LOG, reason: 'io-error' });
      fixture.append(['a']);
      await expect(log.whenFlushed(1)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
      expect(log.failure).toMatchObject({ reason: 'io-error' });
      expect(told).toBeGreaterThan(0);
      const later = fixture.watch('.log');
      expect(() => fixture.append(['b'])).toThrow(expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }));
      expect(() => log.read(0, { maxBytes: 1, upperBound: 1, atLeastOne: true })).toThrow(/offline/);
      await expect(log.whenFlushed(1)).rejects.toThrow(/offline/);
      await fixture.manager.close({ brokerEpoch: 3 });
      expect(later).toEqual([]);
      expect(log.flushedOffset).toBe(0);
    });
  }

  it('says so when the disk is full, without a path', async () => {
    const fixture = await LogFixture.open();
    fixture.files.failNext({ operation: 'write', path: LOG, reason: 'disk-full' });
    fixture.append(['a']);
    await expect(fixture.log.whenWritten(1)).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
      message: expect.stringMatching(
        /^the disk of the broker is full: [^/]* until it has room and [^/]* restarted$/,
      ),
    });
  });

  it('does not leave the mark of a clean stop', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a']);
    await fixture.flushed();
    fixture.files.failNext({ operation: 'sync', path: LOG, reason: 'io-error' });
    fixture.append(['b']);
    await fixture.log.whenFlushed(2).catch(() => {});
    await fixture.restart();
    expect(fixture.manager.cleanShutdownEpoch).toBe(-1);
    expect(await fixture.values()).toContain('a');
  });

  it('a sync that ends after a cut does not count for what came instead', async () => {
    const fixture = await LogFixture.open();
    const { log } = fixture;
    fixture.append(['a']);
    await fixture.flushed();
    const { release, arrived } = fixture.hold('sync', '.log');
    fixture.append(['b']);
    fixture.append(['c']);
    await arrived;
    const waiting = log.whenFlushed(3);
    waiting.catch(() => {});
    const cut = log.truncateTo(1);
    expect([log.logEndOffset, log.writtenOffset, log.flushedOffset]).toEqual([1, 1, 1]);
    expect(() => fixture.append(['d'])).toThrow(expect.objectContaining({ code: 'NOT_LEADER_OR_FOLLOWER' }));
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_LEADER_OR_FOLLOWER' });
    const flushedSeen: number[] = [];
    log.onProgress(() => flushedSeen.push(log.flushedOffset));
    release();
    await cut;
    expect(Math.max(...flushedSeen)).toBe(1);
    fixture.append(['d'], { epoch: 1 });
    expect(log.flushedOffset).toBe(1);
    await fixture.flushed();
    expect(await fixture.values()).toEqual(['a', 'd']);
  });

  it('with write caching what is written counts, and no sync is asked for', async () => {
    const fixture = await LogFixture.open({ config: { writeCaching: true } });
    fixture.append(['warm'], { epoch: 0 });
    await fixture.flushed();
    const seen = fixture.watch('.log');
    for (let i = 0; i < 5; i++) {
      fixture.append(['a']);
      await fixture.flushed();
    }
    expect(seen).toEqual(Array(5).fill('write'));
    expect(fixture.log.recoveryPoint).toBe(0);
    await fixture.restart();
    expect(fixture.log.recoveryPoint).toBe(6);
  });
});

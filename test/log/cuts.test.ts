import { describe, expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('while a log is cut', () => {
  /** Two batches in the file, 0..1 and 2..4; the cut goes through the second, whose end is not found yet. */
  const cutWithin = async () => {
    const fixture = await LogFixture.open({ tailCacheBytes: 0 });
    fixture.append(['a', 'b']);
    fixture.append(['c', 'd', 'e']);
    await fixture.flushed();
    const { release } = fixture.hold('read', '.log');
    return { fixture, release, cut: fixture.log.truncateTo(3) };
  };
  const UP_TO_CUT = { maxBytes: 1000, upperBound: 3, atLeastOne: true };

  it('a read of the batch that it goes through finds nothing, and no damage', async () => {
    const { fixture, release, cut } = await cutWithin();
    const read = fixture.log.read(2, UP_TO_CUT);
    await turn();
    release();
    await cut;
    await expect(read).resolves.toMatchObject({ sizeBytes: 0 });
    expect(fixture.log.failure).toBeUndefined();
  });

  it('and a new epoch begins at its offset, that batch is not held against it', async () => {
    const { fixture, release, cut } = await cutWithin();
    fixture.log.assignEpoch(5, fixture.log.logEndOffset);
    const read = fixture.log.read(2, UP_TO_CUT);
    await turn();
    release();
    await cut;
    await expect(read).resolves.toMatchObject({ sizeBytes: 0 });
    expect(fixture.log.failure).toBeUndefined();
    fixture.append(['f'], { epoch: 5 });
    await fixture.flushed();
    expect(await fixture.values()).toEqual(['a', 'b', 'f']);
  });

  it('the file of the epochs says what holds for the batches that are not gone yet', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 150 } });
    for (let epoch = 0; epoch < 6; epoch++) {
      fixture.append(['a'], { epoch });
      fixture.append(['b'], { epoch });
    }
    await fixture.flushed();
    await fixture.manager.checkpointHighWatermarks();
    const save = fixture.hold('rename', 'leader-epoch-checkpoint.tmp');
    const remove = fixture.hold('remove', '.log');
    fixture.append(['lost'], { epoch: 6 });
    await save.arrived;
    fixture.log.truncateTo(3).catch(() => {});
    fixture.log.assignEpoch(9, fixture.log.logEndOffset);
    save.release();
    await remove.arrived;
    await fixture.kill();
    expect(fixture.log.failure).toBeUndefined();
    expect(fixture.log.logEndOffset).toBe(12);
    for (let epoch = 0; epoch < 6; epoch++)
      expect(fixture.log.endOffsetForEpoch(epoch)).toEqual({ epoch, endOffset: 2 * epoch + 2 });
  });
});

describe('a log that fails while it is about to be cut', () => {
  it('keeps its files, as its checkpoints keep their promise', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a']);
    await fixture.flushed();
    await fixture.manager.checkpointHighWatermarks();
    const write = fixture.hold('write', 'recovery-point-offset-checkpoint.tmp');
    fixture.log.setHighWatermark(1);
    const save = fixture.manager.checkpointHighWatermarks();
    const cut = fixture.log.truncateTo(0);
    for (let i = 0; i < 3; i++) await turn();
    fixture.log.takeOffline(new Error('the disk'));
    write.release();
    await save.catch(() => {});
    await expect(cut).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    await fixture.crash();
    expect(fixture.log.failure).toBeUndefined();
    expect(await fixture.values()).toEqual(['a']);
  });
});

describe('an epoch that begins while a log is emptied', () => {
  it('has no batch then, wherever the log goes on', async () => {
    const fixture = await LogFixture.open();
    const cut = fixture.log.truncateFullyAndStartAt(7);
    fixture.log.assignEpoch(2, fixture.log.logEndOffset);
    await cut;
    expect([fixture.log.lastBatchEpoch, fixture.log.latestEpoch]).toEqual([-1, 2]);
  });
});

describe('a power failure while a log is emptied', () => {
  it('or a disk that fails in its last step hides nothing of what comes afterwards', async () => {
    const fixture = await LogFixture.open();
    for (const value of ['gone', 'gone', 'a']) fixture.append([value]);
    await fixture.flushed();
    fixture.log.setHighWatermark(2);
    await fixture.log.advanceLogStart(2);
    await fixture.manager.checkpointHighWatermarks();
    fixture.files.failNext({ operation: 'rename', path: 'log-start-offset', reason: 'io-error' });
    await expect(fixture.log.truncateFullyAndStartAt(0)).rejects.toThrow();
    await fixture.crash();
    expect([fixture.log.logStartOffset, fixture.log.logEndOffset]).toEqual([0, 0]);
    for (const value of ['b', 'c', 'd']) fixture.append([value]);
    await fixture.flushed();
    await fixture.crash();
    expect(await fixture.values()).toEqual(['b', 'c', 'd']);
    expect(fixture.log.highWatermark).toBe(0);
  });

  it('does not bring back what lay below its start, though it goes on there', async () => {
    const fixture = await LogFixture.open();
    for (const value of ['gone', 'a']) fixture.append([value]);
    await fixture.flushed();
    fixture.log.setHighWatermark(1);
    await fixture.log.advanceLogStart(1);
    const decide = fixture.hold('rename', '.restart.tmp');
    fixture.log.truncateFullyAndStartAt(0).catch(() => {});
    await decide.arrived;
    await fixture.crash();
    expect(await fixture.values()).toEqual(['a']);
  });

  it('loses nothing that comes afterwards below the old start', async () => {
    const fixture = await LogFixture.open();
    for (const value of ['gone', 'gone', 'a']) fixture.append([value]);
    await fixture.flushed();
    fixture.log.setHighWatermark(2);
    await fixture.log.advanceLogStart(2);
    await fixture.log.truncateFullyAndStartAt(0);
    for (const value of ['b', 'c', 'd']) fixture.append([value]);
    await fixture.flushed();
    await fixture.crash();
    expect(await fixture.values()).toEqual(['b', 'c', 'd']);
    expect(fixture.log.highWatermark).toBe(0);
  });
});

describe('a cut that is asked for while a log goes back', () => {
  it('is held against where the log will begin', async () => {
    const fixture = await LogFixture.open();
    for (const value of ['gone', 'gone', 'a']) fixture.append([value]);
    await fixture.flushed();
    fixture.log.setHighWatermark(2);
    await fixture.log.advanceLogStart(2);
    await Promise.all([fixture.log.truncateFullyAndStartAt(0), fixture.log.truncateTo(1)]);
    expect([fixture.log.logStartOffset, fixture.log.logEndOffset]).toEqual([0, 0]);
  });
});

describe('an epoch that begins while a log goes back', () => {
  it('begins where the log goes on', async () => {
    const fixture = await LogFixture.open();
    for (const value of ['gone', 'a']) fixture.append([value]);
    await fixture.flushed();
    fixture.log.setHighWatermark(1);
    await fixture.log.advanceLogStart(1);
    const cut = fixture.log.truncateFullyAndStartAt(0);
    fixture.log.assignEpoch(3, fixture.log.logEndOffset);
    await cut;
    fixture.append(['b'], { epoch: 3 });
    await fixture.flushed();
    expect(fixture.log.lastBatchEpoch).toBe(3);
    await fixture.crash();
    expect(fixture.log.lastBatchEpoch).toBe(3);
  });
});

describe('a power failure before a new log start is durable', () => {
  it('brings the records back with their epochs', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 150 } });
    fixture.append(['a'], { epoch: 0 });
    fixture.append(['b'], { epoch: 1 });
    await fixture.flushed();
    const { log } = fixture;
    log.setHighWatermark(2);
    const save = fixture.hold('rename', 'log-start-offset-checkpoint.tmp');
    const write = fixture.hold('write', '00000000000000000002.log');
    log.advanceLogStart(2).catch(() => {});
    await save.arrived;
    fixture.append(['lost'], { epoch: 1 });
    await write.arrived;
    await fixture.crash();
    expect(await fixture.values()).toEqual(['a', 'b']);
    expect(fixture.log.lastBatchEpoch).toBe(1);
    expect(fixture.log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 1 });
  });
});

describe('a search by timestamp', () => {
  it('meets a segment whose file is not there yet', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 150 } });
    fixture.append(['a'], { timeMs: 1000 });
    await fixture.flushed();
    const { release } = fixture.hold('open', '.log');
    for (const timeMs of [2000, 3000, 4000]) fixture.append(['b'], { timeMs });
    const found = fixture.log.offsetForTimestamp(4000);
    found.catch(() => {});
    await turn();
    release();
    await expect(found).resolves.toMatchObject({ offset: 3 });
  });
});

import { describe, expect, it } from 'vitest';
import { LogFixture, TOPIC_ID } from './log-fixture.ts';

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

const SMALL = { config: { segmentBytes: 200 } };

/** How many files are open now. */
function watchOpenFiles(fixture: LogFixture): () => number {
  const { files } = fixture;
  const opened: { isOpen: boolean }[] = [];
  const open = files.open.bind(files);
  files.open = async (path, mode) => {
    const handle = await open(path, mode);
    const entry = { isOpen: true };
    opened.push(entry);
    const close = handle.close.bind(handle);
    handle.close = () => {
      entry.isOpen = false;
      return close();
    };
    return handle;
  };
  return () => opened.filter(({ isOpen }) => isOpen).length;
}

/** Appends one after another until the log refuses; resolves with those that are on disk for sure. */
async function fillUp(fixture: LogFixture, countMax = 100): Promise<string[]> {
  const flushed: string[] = [];
  for (let i = 0; i < countMax; i++) {
    try {
      fixture.append([`${i}`], { epoch: 1 });
      await fixture.flushed();
    } catch (error) {
      expect(error).toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
      return flushed;
    }
    flushed.push(`${i}`);
  }
  return flushed;
}

describe.each(['disk-full', 'io-error'] as const)('a disk that answers %s', (reason) => {
  const places = [
    { what: 'an append', operation: 'write', path: '.log' },
    { what: 'making the file of a segment', operation: 'open', path: '.log', after: 1 },
    { what: 'emptying the file of a segment', operation: 'truncate', path: '.log', after: 1 },
    { what: 'the name of a new segment', operation: 'sync-directory', path: 't-0', after: 2 },
    { what: 'an offset index', operation: 'write', path: '.index' },
    { what: 'a time index', operation: 'write', path: '.timeindex' },
    { what: 'the file of an index', operation: 'open', path: '.timeindex' },
    { what: 'a producer snapshot', operation: 'write', path: '.snapshot' },
    { what: 'the leader epochs', operation: 'write', path: 'leader-epoch-checkpoint' },
    { what: 'renaming the leader epochs', operation: 'rename', path: 'leader-epoch-checkpoint' },
    { what: 'the sync of a segment', operation: 'sync', path: '.log' },
    { what: 'the sync of an index', operation: 'sync', path: '.index' },
  ] as const;
  for (const { what, ...fault } of places) {
    it(`for ${what} takes the log offline, loses nothing flushed, and goes on after a restart`, async () => {
      const fixture = await LogFixture.open(SMALL);
      const openFiles = watchOpenFiles(fixture);
      await fixture.restart();
      fixture.files.failNext({ ...fault, reason });
      const flushed = await fillUp(fixture);
      expect(fixture.log.failure).toMatchObject({ reason });
      await fixture.manager.close({ brokerEpoch: 7 });
      expect(openFiles()).toBe(0);

      await fixture.reopen();
      expect(fixture.manager.cleanShutdownEpoch).toBe(-1);
      expect((await fixture.values()).slice(0, flushed.length)).toEqual(flushed);
      fixture.append(['room'], { epoch: 2 });
      await fixture.flushed();
      await fixture.crash();
      expect((await fixture.values()).at(-1)).toBe('room');
    });
  }
});

describe('a disk without room', () => {
  it('for a part of an append cuts that part off at the next start', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a']);
    await fixture.flushed();
    const full = fixture.log.sizeBytes;
    let used = 0;
    for (const path of fixture.files.paths()) used += (await fixture.files.stat(path))?.sizeBytes ?? 0;
    fixture.files.capacityBytes = used + 10;
    fixture.append(['b']);
    await expect(fixture.log.whenWritten(2)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    expect((await fixture.files.stat(LOG))?.sizeBytes).toBe(full + 10);
    fixture.files.capacityBytes = Number.POSITIVE_INFINITY;
    await fixture.restart();
    expect((await fixture.files.stat(LOG))?.sizeBytes).toBe(full);
    fixture.append(['c']);
    await fixture.flushed();
    await fixture.restart();
    expect(await fixture.values()).toEqual(['a', 'c']);
  });

  const CHECKPOINTS = ['replication-offset', 'recovery-point-offset', 'log-start-offset'];
  for (const name of CHECKPOINTS) {
    it(`for ${name}-checkpoint hinders no append, and the next attempt may succeed`, async () => {
      const fixture = await LogFixture.open();
      fixture.append(['a']);
      await fixture.flushed();
      fixture.files.failNext({ operation: 'write', path: name, reason: 'disk-full' });
      await expect(fixture.manager.checkpointHighWatermarks()).rejects.toMatchObject({ reason: 'disk-full' });
      fixture.append(['b']);
      await fixture.flushed();
      await fixture.manager.checkpointHighWatermarks();
      await fixture.crash();
      expect(await fixture.values()).toEqual(['a', 'b']);
      expect(fixture.log.failure).toBeUndefined();
    });

    it(`for ${name}-checkpoint leaves no promise that a later cut would break`, async () => {
      const fixture = await LogFixture.open();
      for (const value of ['a', 'b', 'c']) fixture.append([value]);
      await fixture.flushed();
      fixture.files.failNext({ operation: 'write', path: name, reason: 'disk-full' });
      await expect(fixture.manager.checkpointHighWatermarks()).rejects.toThrow();
      await fixture.log.truncateTo(1);
      await fixture.crash();
      expect(fixture.log.failure).toBeUndefined();
      expect(await fixture.values()).toEqual(['a']);
    });
  }

  const CLOSING = [
    ...CHECKPOINTS,
    'leader-epoch-checkpoint',
    '.index',
    '.timeindex',
    '.snapshot',
    '.kafka_cleanshutdown',
  ];
  for (const path of CLOSING) {
    it(`for ${path} at the close leaves no mark of a clean stop, closes every file and loses nothing`, async () => {
      const fixture = await LogFixture.open();
      const openFiles = watchOpenFiles(fixture);
      await fixture.restart();
      fixture.append(['a']);
      await fixture.flushed();
      fixture.log.assignEpoch(1, 1);
      fixture.files.failNext({ operation: 'write', path, reason: 'disk-full' });
      await fixture.manager.close({ brokerEpoch: 7 });
      expect(openFiles()).toBe(0);
      await fixture.reopen();
      expect(fixture.manager.cleanShutdownEpoch).toBe(-1);
      expect(fixture.log.failure).toBeUndefined();
      expect(await fixture.values()).toEqual(['a']);
    });
  }

  it('for a log that opens leaves it offline without open files', async () => {
    const fixture = await LogFixture.open();
    const openFiles = watchOpenFiles(fixture);
    fixture.append(['a']);
    await fixture.flushed();
    await fixture.manager.close({ brokerEpoch: 7 });
    fixture.files.damage('/data/t-0/leader-epoch-checkpoint', () => Buffer.from('0\n0\n'));
    fixture.files.failNext({ operation: 'write', path: 'leader-epoch-checkpoint', reason: 'disk-full' });
    await fixture.reopen();
    expect(fixture.log.failure).toMatchObject({ reason: 'disk-full' });
    await fixture.manager.close({ brokerEpoch: 8 });
    expect(openFiles()).toBe(0);
    await fixture.reopen();
    expect(await fixture.values()).toEqual(['a']);
  });

  it('still lets a log be deleted, and its name be used again without the offsets of the old one', async () => {
    const fixture = await LogFixture.open();
    for (const value of ['a', 'b', 'c']) fixture.append([value]);
    await fixture.flushed();
    await fixture.manager.checkpointHighWatermarks();
    fixture.files.capacityBytes = 0;
    await fixture.manager.delete('t', 0);
    expect(fixture.files.paths().filter((path) => path.includes('t-0'))).toEqual([]);
    await expect(fixture.manager.create('t', 0, TOPIC_ID, fixture.config)).rejects.toThrow(/full/);
    fixture.files.capacityBytes = Number.POSITIVE_INFINITY;
    await fixture.manager.create('t', 0, TOPIC_ID, fixture.config);
    await fixture.crash();
    expect(fixture.log.failure).toBeUndefined();
    expect(fixture.log.logEndOffset).toBe(0);
  });
});

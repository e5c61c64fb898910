import { describe, expect, it } from 'vitest';
import { ApiError, NONE, type PartitionId, SeededRandom, type Uuid } from '../../src/base/index.ts';
import type { PartitionLog } from '../../src/log/index.ts';
import { Scheduler, VirtualTimers } from '../../src/testing/twins/index.ts';
import { batchOf, LogFixture, TOPIC_ID, valuesOf } from './log-fixture.ts';

const A: Uuid = 'AAAAAAAAAAAAAAAAAAAAQQ';
const B: Uuid = 'BBBBBBBBBBBBBBBBBBBBQQ';
const OTHER_ID: Uuid = 'b3RoZXItdG9waWMtb3RoZQ';
const TWO = {
  directories: [
    { path: '/a', id: A },
    { path: '/b', id: B },
  ],
};

/** Two directories; t-0 is in /a, u-0 in /b. */
async function twoDirectories(options: ConstructorParameters<typeof LogFixture>[0] = {}) {
  const fixture = await LogFixture.open({ ...TWO, ...options });
  const other = await fixture.manager.create('u', 0, OTHER_ID, fixture.config);
  expect([fixture.log.directory, other.directory]).toEqual(['/a/t-0', '/b/u-0']);
  return { fixture, other };
}

async function append(log: PartitionLog, ...values: string[]): Promise<void> {
  for (const value of values) log.appendAsLeader(batchOf([value]), { leaderEpoch: 0, nowMs: 0 });
  await log.whenFlushed(log.logEndOffset);
}

async function valuesIn(log: PartitionLog): Promise<string[]> {
  if (log.logStartOffset === log.logEndOffset) return [];
  const options = { maxBytes: 1_000_000, upperBound: log.logEndOffset, atLeastOne: true };
  return valuesOf(await log.read(log.logStartOffset, options), log.logStartOffset);
}

function logOf(fixture: LogFixture, topic: string, partition: PartitionId = 0): PartitionLog {
  const log = fixture.manager.find(topic, partition);
  if (log === undefined) throw new Error(`no log ${topic}-${partition}`);
  return log;
}

describe('a new log', () => {
  it('goes where the fewest logs are, those being made included, to the first of several', async () => {
    const { fixture } = await twoDirectories();
    const { manager, config } = fixture;
    const places = async (...partitions: number[]) => {
      const made = partitions.map((partition) => manager.create('v', partition, TOPIC_ID, config));
      return (await Promise.all(made)).map(({ directory }) => directory.slice(0, 2));
    };
    expect(await places(0, 1, 2, 3)).toEqual(['/a', '/b', '/a', '/b']);
    await manager.delete('v', 1);
    await manager.delete('v', 3);
    expect(await places(4, 5, 6)).toEqual(['/b', '/b', '/a']);
  });

  it('goes where it is wanted, and elsewhere when that directory is offline', async () => {
    const { fixture } = await twoDirectories();
    const { manager, config } = fixture;
    for (const partition of [0, 1]) {
      const log = await manager.create('v', partition, TOPIC_ID, config, B);
      expect([log.directory.slice(0, 2), manager.directoryOf(log)]).toEqual(['/b', B]);
    }
    fixture.files.failNext({ operation: 'make-directory', path: '/b/v-2', reason: 'io-error' });
    await expect(manager.create('v', 2, TOPIC_ID, config, B)).rejects.toMatchObject({ reason: 'io-error' });
    expect([manager.onlineDirectories, manager.offlineDirectories]).toEqual([[A], [B]]);
    expect((await manager.create('v', 2, TOPIC_ID, config, B)).directory).toBe('/a/v-2');
  });

  it('is refused, and not served, when its directory fails while it is made', async () => {
    const { fixture, other } = await twoDirectories();
    const { manager, config, files } = fixture;
    const { release, arrived } = fixture.hold('sync-directory', '/b');
    const making = manager.create('v', 0, TOPIC_ID, config, B);
    making.catch(() => {});
    await arrived;
    files.failNext({ operation: 'write', path: '/b/u-0', reason: 'io-error' });
    await expect(append(other, 'x')).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    release();
    await expect(making).rejects.toMatchObject({ reason: 'io-error' });
    expect(manager.find('v', 0)).toBeUndefined();
  });

  it.each(['disk-full', 'too-many-open-files'] as const)(
    'that is refused by %s leaves its directory in service',
    async (reason) => {
      const { fixture } = await twoDirectories();
      const { manager, config, files } = fixture;
      files.failNext({ operation: 'open', path: '/b/v-0', reason });
      await expect(manager.create('v', 0, TOPIC_ID, config, B)).rejects.toMatchObject({ reason });
      expect(manager.offlineDirectories).toEqual([]);
      expect((await manager.create('v', 0, TOPIC_ID, config, B)).directory).toBe('/b/v-0');
    },
  );

  it('never holds records of one that could not be deleted; these are kept', async () => {
    const { fixture } = await twoDirectories();
    const { manager, config, files } = fixture;
    await append(fixture.log, 'a', 'b');
    files.failNext({ operation: 'rename', path: '/a/t-0', reason: 'disk-full' });
    await expect(manager.delete('t', 0)).rejects.toMatchObject({ reason: 'disk-full' });
    const log = await manager.create('t', 0, OTHER_ID, config, A);
    expect(log).toMatchObject({ directory: '/a/t-0', logEndOffset: 0, topicId: OTHER_ID });
    const kept = files.paths().filter((path) => /^\/a\/t-0\..*-stray$/.test(path));
    expect(kept).toHaveLength(1);
    await append(log, 'c');
    await fixture.crash();
    expect(await valuesIn(logOf(fixture, 't'))).toEqual(['c']);
  });

  it('takes the name of a log of another topic that is offline with its directory', async () => {
    const { fixture } = await twoDirectories();
    const { manager, config, files } = fixture;
    files.failNext({ operation: 'write', path: '/a/t-0', reason: 'io-error' });
    await expect(append(fixture.log, 'x')).rejects.toThrow();
    await manager.delete('t', 0, TOPIC_ID);
    expect((await manager.create('t', 0, OTHER_ID, config)).directory).toBe('/b/t-0');
    expect(files.paths()).toContain('/a/t-0');
    await fixture.crash();
    expect(fixture.manager.findAll('t', 0).map(({ topicId }) => topicId)).toEqual([TOPIC_ID, OTHER_ID]);
  });
});

describe('logs of two topics under one name', () => {
  /** t-0 of OTHER_ID in /a, which was away when t-0 of TOPIC_ID was made in /b. */
  async function namesakes() {
    const [a, b] = TWO.directories.map((one) => [one]);
    const fixture = await LogFixture.open({ directories: b ?? [] });
    await append(fixture.log, 'new');
    await fixture.manager.close({ brokerEpoch: 7 });
    fixture.directories = a ?? [];
    await fixture.reopen();
    await fixture.manager.delete('t', 0);
    const old = await fixture.manager.create('t', 0, OTHER_ID, fixture.config);
    await append(old, 'old');
    await fixture.manager.close({ brokerEpoch: 7 });
    fixture.directories = TWO.directories;
    await fixture.reopen();
    return fixture;
  }
  const ids = ({ manager }: LogFixture) => manager.findAll('t', 0).map(({ topicId }) => topicId);

  it('are deleted by their topic, or all at once', async () => {
    const fixture = await namesakes();
    expect(ids(fixture)).toEqual([OTHER_ID, TOPIC_ID]);
    await fixture.manager.delete('t', 0, OTHER_ID);
    expect(ids(fixture)).toEqual([TOPIC_ID]);
    expect(await valuesIn(logOf(fixture, 't'))).toEqual(['new']);
    await fixture.manager.delete('t', 0);
    expect(ids(fixture)).toEqual([]);
  });

  it('are found by their topic when one is asked to be made; a third topic has no place', async () => {
    const { manager, config } = await namesakes();
    for (const topicId of [TOPIC_ID, OTHER_ID])
      expect((await manager.create('t', 0, topicId, config)).topicId).toBe(topicId);
    await expect(manager.create('t', 0, 'dGhpcmQtdGhpcmQtdGhpcg', config)).rejects.toMatchObject({
      code: 'INCONSISTENT_TOPIC_ID',
    });
  });

  it('hinder none when they are offline with their directory, and the sound one is found first', async () => {
    const fixture = await namesakes();
    const { manager, config } = fixture;
    await manager.delete('t', 0, TOPIC_ID);
    fixture.files.failNext({ operation: 'write', path: '/a/t-0', reason: 'io-error' });
    await expect(append(logOf(fixture, 't'), 'x')).rejects.toThrow();
    const made = await manager.create('t', 0, TOPIC_ID, config);
    expect(made.directory).toBe('/b/t-0');
    expect(manager.findAll('t', 0)).toHaveLength(2);
    expect(manager.find('t', 0)).toBe(made);
  });
});

describe('a directory that fails', () => {
  it.each([
    ['rename', '/a/t-0'],
    ['sync-directory', '/a'],
  ] as const)('at the %s of a deletion is offline', async (operation, path) => {
    const { fixture, other } = await twoDirectories();
    fixture.files.failNext({ operation, path, reason: 'io-error' });
    await expect(fixture.manager.delete('t', 0)).rejects.toMatchObject({ reason: 'io-error' });
    expect(fixture.manager.offlineDirectories).toEqual([A]);
    expect(other.failure).toBeUndefined();
  });

  it('is not where anything that concerns all logs is kept', async () => {
    const { fixture } = await twoDirectories();
    expect(fixture.manager.homeDirectory).toBe('/a');
    fixture.files.failNext({ operation: 'write', path: '/a/t-0', reason: 'io-error' });
    await expect(append(fixture.log, 'x')).rejects.toThrow();
    expect(fixture.manager.homeDirectory).toBe('/b');
  });

  it('takes its own logs offline, tells once, and leaves the others', async () => {
    const { fixture, other } = await twoDirectories();
    const second = await fixture.manager.create('v', 0, TOPIC_ID, fixture.config, A);
    const told: Error[] = [];
    fixture.manager.onDirectoryFailure((error) => told.push(error));
    fixture.files.failNext({ operation: 'sync', path: '/a/t-0', reason: 'io-error' });
    await expect(append(fixture.log, 'x')).rejects.toThrow();
    expect(told).toHaveLength(1);
    expect([fixture.log.failure, second.failure]).toEqual([told[0], told[0]]);
    await append(other, 'y');
    const later = fixture.watch('/a/t-0/00000000000000000000.log');
    await fixture.manager.checkpointHighWatermarks();
    await fixture.manager.applyRetention(1);
    expect(later).toEqual([]);
  });

  it.each(['/b/replication-offset', '/b/recovery-point', '/b/.kafka_cleanshutdown', '/b/u-0/0'])(
    'at the close, at %s, leaves the mark of a clean stop to the others alone, and every lock falls',
    async (path) => {
      const { fixture, other } = await twoDirectories();
      await append(fixture.log, 'a');
      await append(other, 'b');
      fixture.files.failNext({ operation: 'write', path, reason: 'io-error' });
      await fixture.manager.close({ brokerEpoch: 7 });
      const marks = fixture.files.paths().filter((one) => one.endsWith('.kafka_cleanshutdown'));
      expect(marks).toEqual(['/a/.kafka_cleanshutdown']);
      await fixture.reopen();
      expect(fixture.manager.cleanShutdownEpoch).toBe(NONE);
      expect(await valuesIn(fixture.log)).toEqual(['a']);
      expect(await valuesIn(logOf(fixture, 'u'))).toEqual(['b']);
    },
  );

  it('and holds no log gets no mark of a clean stop either: nothing is written there any more', async () => {
    const fixture = await LogFixture.open(TWO);
    const { manager, config, files } = fixture;
    files.failNext({ operation: 'make-directory', path: '/b/u-0', reason: 'io-error' });
    await expect(manager.create('u', 0, OTHER_ID, config, B)).rejects.toThrow();
    await manager.close({ brokerEpoch: 7 });
    expect(files.paths().filter((path) => path.endsWith('cleanshutdown'))).toEqual([
      '/a/.kafka_cleanshutdown',
    ]);
  });

  it('or is full at the close removes nothing after it: the directory is not its own any more', async () => {
    const scheduler = new Scheduler({ random: new SeededRandom(1, 'schedule') });
    const { fixture } = await twoDirectories({ timers: new VirtualTimers(scheduler) });
    await fixture.manager.delete('t', 0);
    const doomed = () => fixture.files.paths().filter((path) => path.endsWith('-delete'));
    expect(doomed()).toHaveLength(1);
    fixture.files.failNext({ operation: 'write', path: '/a/replication-offset', reason: 'disk-full' });
    await fixture.manager.close({ brokerEpoch: 7 });
    await scheduler.run(10 * fixture.config.fileDeleteDelayMs);
    expect(doomed()).toHaveLength(1);
  });

  it('when it is opened is offline alone; with the last one the start is refused', async () => {
    const { fixture, other } = await twoDirectories();
    await append(other, 'b');
    await fixture.manager.close({ brokerEpoch: 7 });
    fixture.files.failNext({ operation: 'list', path: '/a', reason: 'io-error' });
    await fixture.reopen();
    expect(fixture.manager.offlineDirectories).toEqual([A]);
    expect(fixture.manager.cleanShutdownEpoch).toBe(NONE);
    expect(await valuesIn(logOf(fixture, 'u'))).toEqual(['b']);
    await fixture.manager.close({ brokerEpoch: 8 });
    for (const path of ['/a', '/b']) fixture.files.failNext({ operation: 'list', path, reason: 'io-error' });
    await expect(fixture.reopen()).rejects.toMatchObject({ reason: 'io-error' });
  });

  it('in use by another process refuses the start, and lets the other go', async () => {
    const { fixture } = await twoDirectories();
    await fixture.manager.close({ brokerEpoch: 7 });
    const lock = await fixture.files.lock('/b/.logs-lock');
    await expect(fixture.reopen()).rejects.toMatchObject({ reason: 'locked' });
    await lock.release();
    await fixture.reopen();
    expect(fixture.manager.onlineDirectories).toEqual([A, B]);
  });
});

describe('a damaged file of one directory', () => {
  const garbage = () => Buffer.from('not what it was\n');
  const CHECKPOINTS = ['replication-offset', 'recovery-point-offset', 'log-start-offset', 'cleaner-offset'];

  it.each(CHECKPOINTS)(
    '%s-checkpoint loses what it said, and nothing of the other directory',
    async (name) => {
      const { fixture, other } = await twoDirectories();
      for (const log of [fixture.log, other]) {
        await append(log, 'a', 'b', 'c');
        log.setHighWatermark(3);
        await log.advanceLogStart(1);
      }
      await fixture.manager.close({ brokerEpoch: 7 });
      fixture.files.damage(`/a/${name}-checkpoint`, garbage);
      await fixture.reopen();
      const [one, two] = [logOf(fixture, 't'), logOf(fixture, 'u')];
      expect([one.failure, two.failure]).toEqual([undefined, undefined]);
      expect(two).toMatchObject({ highWatermark: 3, logStartOffset: 1, recoveryPoint: 3, logEndOffset: 3 });
      const start = name === 'log-start-offset' ? 0 : 1;
      expect(one).toMatchObject({
        logEndOffset: 3,
        logStartOffset: start,
        highWatermark: name === 'replication-offset' ? start : 3,
      });
      expect(await valuesIn(one)).toEqual(['a', 'b', 'c'].slice(start));
      // It is written anew, whole.
      await fixture.manager.checkpointHighWatermarks();
      await fixture.kill();
      expect(logOf(fixture, 't').failure).toBeUndefined();
      expect(await valuesIn(logOf(fixture, 't'))).toEqual(['a', 'b', 'c'].slice(start));
    },
  );

  it.each(CHECKPOINTS)('%s-checkpoint, after a crash, costs no record that was synced', async (name) => {
    const { fixture, other } = await twoDirectories();
    for (const log of [fixture.log, other]) await append(log, 'a', 'b', 'c');
    await fixture.manager.checkpointHighWatermarks();
    fixture.files.damage(`/a/${name}-checkpoint`, garbage);
    await fixture.crash();
    for (const topic of ['t', 'u']) expect(await valuesIn(logOf(fixture, topic))).toEqual(['a', 'b', 'c']);
  });

  it('the mark of a clean stop tells no broker epoch any more', async () => {
    const { fixture } = await twoDirectories();
    await fixture.manager.close({ brokerEpoch: 7 });
    fixture.files.damage('/b/.kafka_cleanshutdown', garbage);
    await fixture.reopen();
    expect(fixture.manager.cleanShutdownEpoch).toBe(NONE);
    await fixture.restart();
    expect(fixture.manager.cleanShutdownEpoch).toBe(7);
  });

  it('the mark of an earlier stop, of a directory that was away since, tells none either', async () => {
    const { fixture, other } = await twoDirectories();
    await append(other, 'b');
    await fixture.manager.close({ brokerEpoch: 7 });
    const both = fixture.directories;
    fixture.directories = both.slice(0, 1);
    await fixture.reopen();
    await fixture.manager.close({ brokerEpoch: 9 });
    fixture.directories = both;
    await fixture.reopen();
    expect(fixture.manager.cleanShutdownEpoch).toBe(NONE);
    expect(await valuesIn(logOf(fixture, 'u'))).toEqual(['b']);
  });
});

describe('names that are not those of logs', () => {
  it.each(['do-not-delete', 't-0-delete', 't-0.old-delete', 't-07', 'notes-2', 'x-y'])(
    '%s stays as it is',
    async (name) => {
      const { fixture } = await twoDirectories();
      const isLog = name === 'notes-2';
      await fixture.manager.close({ brokerEpoch: 7 });
      await fixture.files.makeDirectory(`/a/${name}`);
      const handle = await fixture.files.open(`/a/${name}/00000000000000000000.log`, 'create-new');
      await handle.write([Buffer.from('something of a person')], 0);
      await handle.close();
      await fixture.reopen();
      expect(fixture.files.paths()).toContain(`/a/${name}/00000000000000000000.log`);
      expect(fixture.log.failure).toBeUndefined();
      // Records without the id of a topic are somebody's.
      expect(fixture.manager.find('notes', 2)?.failure !== undefined).toBe(isLog);
      expect([...fixture.manager.all()]).toHaveLength(isLog ? 3 : 2);
    },
  );
});

describe('retention over many logs', () => {
  it('goes on after a log that it fails at: a refusal is a warning, a bug is thrown in the end', async () => {
    const { fixture, other } = await twoDirectories();
    const seen: string[] = [];
    const last = await fixture.manager.create('v', 0, TOPIC_ID, fixture.config);
    const failing = new Map<PartitionLog, Error>([
      [fixture.log, new ApiError('KAFKA_STORAGE_ERROR', 'no room')],
      [other, new TypeError('a bug')],
    ]);
    for (const log of [fixture.log, other, last])
      log.applyRetention = async () => {
        seen.push(log.topic);
        const error = failing.get(log);
        if (error !== undefined) throw error;
      };
    await expect(fixture.manager.applyRetention(1)).rejects.toThrow('a bug');
    expect(seen.sort()).toEqual(['t', 'u', 'v']);
    failing.delete(other);
    await fixture.manager.applyRetention(1);
    const warned = fixture.warnings.filter(({ message }) => message.startsWith('retention'));
    expect(warned).toMatchObject([
      { fields: { topic: 't', partition: 0, error: 'no room' } },
      { fields: { topic: 't' } },
    ]);
  });

  it('is silent about a log that has failed at it, or was deleted meanwhile: that was told', async () => {
    const { fixture, other } = await twoDirectories();
    const { manager } = fixture;
    fixture.log.applyRetention = async () => {
      await manager.delete('t', 0);
      throw new TypeError('closed under its feet');
    };
    other.applyRetention = async () => {
      other.takeOffline(new Error('the disk'));
      throw new ApiError('KAFKA_STORAGE_ERROR');
    };
    await manager.applyRetention(1);
    expect(fixture.warnings.filter(({ message }) => message.startsWith('retention'))).toEqual([]);
  });
});

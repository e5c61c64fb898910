import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { type FileHandle, type FileMode, SILENT } from '../../src/env/index.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig, openLogManager } from '../../src/log/index.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';
import { batchOf, LogFixture, TOPIC_ID, valuesOf } from './log-fixture.ts';

const NAME = '00000000000000000000.log';

/** Counts segment files that are open, and notes what happens to each. */
class WatchedFiles extends MemoryFiles {
  readonly seen = new Map<string, string[]>();
  mostOpen = 0;
  #open = 0;

  override async open(path: string, mode: FileMode): Promise<FileHandle> {
    const handle = await super.open(path, mode);
    if (!path.endsWith('.log')) return handle;
    const note = (what: string): unknown => this.seen.set(path, [...(this.seen.get(path) ?? []), what]);
    note('open');
    this.mostOpen = Math.max(this.mostOpen, ++this.#open);
    const { close, write, sync } = handle;
    handle.close = () => {
      note('close');
      this.#open--;
      return close.call(handle);
    };
    handle.write = (buffers, position) => {
      note('write');
      return write.call(handle, buffers, position);
    };
    handle.sync = () => {
      note('sync');
      return sync.call(handle);
    };
    return handle;
  }

  /** All handles of the dead process are gone. */
  lose(): void {
    this.crash(new SeededRandom(1));
    this.#open = 0;
  }
}

const openLogs = (files: MemoryFiles, limit: number, config: LogConfig = DEFAULT_LOG_CONFIG) =>
  openLogManager({
    directories: [{ path: '/data' }],
    environment: { files, logger: SILENT, random: new SeededRandom(1, 'logs') },
    defaults: config,
    tailCacheBytes: 0,
    openSegmentsMax: limit,
  });

describe('the pool of segment files', () => {
  it('lets many logs be appended to, read and recovered through few open files', async () => {
    const files = new WatchedFiles();
    let manager = await openLogs(files, 3);
    const create = (_: unknown, i: number) => manager.create('t', i, TOPIC_ID, DEFAULT_LOG_CONFIG);
    const append = async () => {
      for (const log of manager.all()) log.appendAsLeader(batchOf(['a']), { leaderEpoch: 0, nowMs: 0 });
      await Promise.all(Array.from(manager.all(), (log) => log.whenFlushed(log.logEndOffset)));
    };
    const read = async () => {
      const all = { maxBytes: 1000, upperBound: 10, atLeastOne: true };
      const reads = await Promise.all(Array.from(manager.all(), (log) => log.read(0, all)));
      return reads.map((one) => valuesOf(one).length);
    };
    await Promise.all(Array.from({ length: 20 }, create));
    await append();
    await append();
    expect(await read()).toEqual(new Array(20).fill(2));
    files.lose();
    manager = await openLogs(files, 3);
    await append();
    expect(await read()).toEqual(new Array(20).fill(3));
    await manager.close({ brokerEpoch: 1 });
    expect(files.mostOpen).toBeLessThanOrEqual(3);
  });

  it('syncs what was written before it closes a file', async () => {
    const files = new WatchedFiles();
    const config = { ...DEFAULT_LOG_CONFIG, writeCaching: true };
    const manager = await openLogs(files, 1, config);
    const [one, other] = [
      await manager.create('t', 0, TOPIC_ID, config),
      await manager.create('t', 1, TOPIC_ID, config),
    ];
    one.appendAsLeader(batchOf(['a']), { leaderEpoch: 0, nowMs: 0 });
    await one.whenWritten(1);
    expect(files.seen.get(`/data/t-0/${NAME}`)?.at(-1)).toBe('write');
    other.appendAsLeader(batchOf(['b']), { leaderEpoch: 0, nowMs: 0 });
    await other.whenWritten(1);
    // Its own eviction makes the room the other waits for.
    expect(files.seen.get(`/data/t-0/${NAME}`)?.slice(-3)).toEqual(['write', 'sync', 'close']);
  });

  it('takes the directory offline when a sync fails then', async () => {
    const files = new MemoryFiles();
    const config = { ...DEFAULT_LOG_CONFIG, writeCaching: true };
    const manager = await openLogs(files, 2, config);
    const [one, two, three] = [
      await manager.create('t', 0, TOPIC_ID, config),
      await manager.create('t', 1, TOPIC_ID, config),
      await manager.create('t', 2, TOPIC_ID, config),
    ];
    one.appendAsLeader(batchOf(['a']), { leaderEpoch: 0, nowMs: 0 });
    await one.whenWritten(1);
    files.failNext({ operation: 'sync', path: `/data/t-0/${NAME}`, reason: 'io-error' });
    two.appendAsLeader(batchOf(['b']), { leaderEpoch: 0, nowMs: 0 });
    await two.whenWritten(two.logEndOffset);
    three.appendAsLeader(batchOf(['b']), { leaderEpoch: 0, nowMs: 0 });
    await expect(three.whenWritten(three.logEndOffset)).rejects.toMatchObject({
      code: 'KAFKA_STORAGE_ERROR',
    });
    expect(one.failure).toMatchObject({ reason: 'io-error' });
    expect(three.failure).toBe(one.failure);
    expect(manager.isUsable).toBe(false);
  });
});

describe('a log that nobody uses', () => {
  it('costs no write between a clean start and the next stop', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a']);
    await fixture.flushed();
    await fixture.restart();
    const seen: string[] = [];
    const perform = fixture.files.perform.bind(fixture.files);
    fixture.files.perform = (operation, path, effect) => {
      if (path.includes('/t-0/')) seen.push(operation);
      return perform(operation, path, effect);
    };
    // A new leader that writes nothing.
    fixture.log.assignEpoch(3, 1);
    await fixture.restart();
    expect(seen.filter((one) => !['open', 'close', 'read', 'stat', 'list'].includes(one))).toEqual([]);
    expect(await fixture.values()).toEqual(['a']);
  });
});

describe('epochs of batches that were lost', () => {
  it('are not taken for those of what stands there after another crash', async () => {
    const fixture = await LogFixture.open();
    fixture.append(['a'], { epoch: 6 });
    await fixture.flushed();
    fixture.append(['lost'], { epoch: 7 });
    await fixture.flushed();
    await cutTo(fixture.files, `/data/t-0/${NAME}`, batchOf(['a']).length);
    const next = fixture.hold('rename', 'leader-epoch-checkpoint.tmp');
    await fixture.kill();
    expect(fixture.log.logEndOffset).toBe(1);
    fixture.append(['b'], { epoch: 6 });
    await fixture.log.whenWritten(2);
    next.release();
    await fixture.kill();
    expect(fixture.log.lastBatchEpoch).toBe(6);
    expect(fixture.log.endOffsetForEpoch(6)).toEqual({ epoch: 6, endOffset: 2 });
  });
});

/** What the power took with it: all of the file but its first bytes. */
async function cutTo(files: MemoryFiles, path: string, sizeBytes: number): Promise<void> {
  const handle = await files.open(path, 'write');
  await handle.truncate(sizeBytes);
  await handle.sync();
  await handle.close();
}

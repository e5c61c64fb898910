import { describe, expect, it } from 'vitest';
import { EnvironmentError, type EnvironmentReason } from '../../../src/base/index.ts';
import { CleanedFile } from '../../../src/log/compaction/cleaned-file.ts';
import { BoundedFiles } from '../../../src/log/segment/bounded-files.ts';
import { type FileOperation, MemoryFiles } from '../../../src/testing/twins/index.ts';
import { CompactionFixture } from './compaction-fixture.ts';

const OPERATIONS = [
  'open',
  'write',
  'sync',
  'truncate',
  'rename',
  'sync-directory',
  'remove',
  'read',
] as const;

async function filled(): Promise<CompactionFixture> {
  const fixture = await CompactionFixture.open();
  for (let i = 0; i < 40; i++) fixture.put([{ key: `k${i % 5}`, value: `${i}` }]);
  await fixture.settle();
  await fixture.manager.checkpointHighWatermarks();
  return fixture;
}

/** The operation of that kind after so many others fails; returns whether it came, and lets the disk be well again. */
function failAfter(
  { files }: CompactionFixture,
  operation: FileOperation,
  count: number,
  reason: EnvironmentReason,
): () => boolean {
  const perform = files.perform.bind(files);
  let seen = 0;
  files.perform = (one, path, effect) =>
    one === operation && seen++ === count
      ? Promise.reject(new EnvironmentError(reason, path, `cannot ${one} ${path}: ${reason}`))
      : perform(one, path, effect);
  return () => {
    files.perform = perform;
    return seen > count;
  };
}

describe.each(['disk-full', 'io-error'] as const)('a disk that answers %s', (reason) => {
  it.each(OPERATIONS)(
    'to any %s of a cleaning costs no last value, and the next start goes on',
    async (operation) => {
      const truth = await (await filled()).table();
      let failures = 0;
      for (let hasFailed = true; hasFailed; ) {
        const fixture = await filled();
        const mend = failAfter(fixture, operation, failures, reason);
        await fixture.clean().catch(() => {});
        hasFailed = mend();
        if (fixture.log.failure === undefined) expect(await fixture.table()).toEqual(truth);
        await fixture.kill();
        expect(fixture.log.failure, `${operation} ${failures}`).toBeUndefined();
        expect(fixture.log.logEndOffset).toBe(40);
        expect(await fixture.table()).toEqual(truth);
        expect(await fixture.clean()).toMatchObject({ kind: 'cleaned' });
        expect(await fixture.table()).toEqual(truth);
        if (hasFailed) failures++;
      }
      expect(failures).toBeGreaterThan(0);
    },
  );
});

describe('a full disk', () => {
  it.each([
    ['open', '.cleaned'],
    ['write', '.cleaned'],
    ['truncate', '.cleaned'],
    ['rename', '.cleaned'],
    ['write', '.index.tmp'],
    ['write', '.timeindex.tmp'],
  ] as const)('takes no log offline for the sake of compaction, by a %s of %s', async (operation, path) => {
    const fixture = await filled();
    const truth = await fixture.table();
    fixture.files.failNext({ operation, path, reason: 'disk-full' });
    await fixture.clean().catch(() => {});
    expect(fixture.log.failure).toBeUndefined();
    expect(await fixture.table()).toEqual(truth);
    expect(
      (await fixture.files.list(fixture.log.directory)).filter((one) => /cleaned|swap/.test(one)),
    ).toEqual([]);
    await fixture.restart();
    expect(fixture.log.failure).toBeUndefined();
    expect(await fixture.clean()).toMatchObject({ kind: 'cleaned' });
    expect(await fixture.table()).toEqual(truth);
  });

  it('keeps no file open that it has refused', async () => {
    const disk = new MemoryFiles();
    const files = new BoundedFiles(disk, 1);
    disk.failNext({ operation: 'truncate', path: '.cleaned', reason: 'disk-full' });
    await expect(CleanedFile.create(files, '/0.log.cleaned', 0, 100)).rejects.toThrow('disk-full');
    await (await CleanedFile.create(files, '/0.log.cleaned', 0, 100)).close();
  });
});

it('an index that a full disk refuses leaves nothing of it behind, nor does one that a crash interrupted', async () => {
  const fixture = await filled();
  fixture.files.failNext({ operation: 'write', path: '.index.tmp', reason: 'disk-full' });
  await fixture.clean();
  expect(fixture.log.failure).toBeUndefined();
  const unfinished = () => fixture.files.paths().filter((path) => path.endsWith('.tmp'));
  expect(unfinished()).toEqual([]);
  const { arrived, release } = fixture.hold('rename', '.index.tmp');
  for (let i = 0; i < 40; i++) fixture.put([{ key: `k${i % 5}`, value: `${i}` }]);
  await arrived;
  expect(unfinished()).toHaveLength(1);
  release();
  await fixture.kill();
  expect(unfinished()).toEqual([]);
});

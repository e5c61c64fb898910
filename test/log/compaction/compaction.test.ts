import { describe, expect, it } from 'vitest';
import { findLogFiles, inspectLogFile } from '../../../src/log/index.ts';
import { BatchBuilder, batches } from '../../../src/log/record/index.ts';
import { CompactionFixture } from './compaction-fixture.ts';

const PAD = '.'.repeat(40);

/** `count` batches of one record, keys in turn; the last are in the active segment. */
async function fill(fixture: CompactionFixture, count: number, keys: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) fixture.put([{ key: `k${i % keys}`, value: `v${i}${PAD}` }]);
  await fixture.settle();
}

/** Headers of all batches, read one after another. */
async function headers(fixture: CompactionFixture) {
  const { log } = fixture;
  const read = await log.read(log.logStartOffset, {
    maxBytes: 1e6,
    upperBound: log.logEndOffset,
    atLeastOne: true,
  });
  return read.batches.flatMap((some) => [...batches(some)]).map(({ header }) => header);
}

async function segmentNames({ files, log }: CompactionFixture): Promise<string[]> {
  return (await files.list(log.directory)).filter((name) => name.endsWith('.log'));
}

describe('compacting a log', () => {
  it('keeps the last record of each key, at its offset, and the end of the log', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 60, 4);
    const before = await fixture.table();
    const end = fixture.log.logEndOffset;
    expect((await fixture.clean()).kind).toBe('cleaned');
    expect(await fixture.table()).toEqual(before);
    const records = await fixture.records();
    expect(records.length).toBeLessThan(20);
    for (const { offset, value } of records) expect(value).toBe(`v${offset}${PAD}`);
    await fixture.restart();
    expect(await fixture.table()).toEqual(before);
    expect(fixture.log.logEndOffset).toBe(end);
  });

  it('never touches the active segment, nor what is not committed', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 30, 1);
    const active = Number((await segmentNames(fixture)).at(-1)?.slice(0, 20));
    await fixture.clean();
    expect((await fixture.records()).map(({ offset }) => offset)).toEqual([
      active - 1,
      ...Array.from({ length: 30 - active }, (_, i) => active + i),
    ]);
    const other = await CompactionFixture.open();
    for (let i = 0; i < 30; i++) other.put([{ key: 'k', value: `v${i}${PAD}` }]);
    await other.flushed();
    expect(await other.log.compactor.plan(0)).toMatchObject({ endOffset: 0, isDue: false });
    other.log.setHighWatermark(7);
    expect((await other.log.compactor.plan(0)).endOffset).toBeLessThanOrEqual(7);
  });

  it('takes no segment before the next one is there, durably', async () => {
    const fixture = await CompactionFixture.open();
    const { release, arrived } = fixture.hold('sync-directory', 't-0');
    for (let i = 0; i < 30; i++) fixture.put([{ key: 'k', value: `v${i}${PAD}` }]);
    await arrived;
    fixture.log.setHighWatermark(30);
    expect((await fixture.log.compactor.plan(0)).endOffset).toBe(0);
    release();
    await fixture.flushed();
    expect((await fixture.log.compactor.plan(0)).endOffset).toBeGreaterThan(20);
  });

  it('makes one segment of several that have become small', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 60, 2);
    const before = (await segmentNames(fixture)).length;
    for (let i = 0; i < 3; i++) {
      await fixture.clean();
      await fill(fixture, 10, 2, 60 + i * 10);
    }
    await fixture.clean();
    const after = await segmentNames(fixture);
    expect(after.length).toBeLessThan(before / 3);
    expect(
      (await fixture.files.list(fixture.log.directory)).filter((name) => /cleaned|swap/.test(name)),
    ).toEqual([]);
  });

  it('leaves a segment alone in which nothing goes', async () => {
    const fixture = await CompactionFixture.open({ config: { segmentBytes: 300 } });
    for (let i = 0; i < 20; i++) fixture.put([{ key: `k${i}`, value: PAD.repeat(4) }]);
    const renames = fixture.watch('.cleaned');
    const outcome = await fixture.clean();
    expect(outcome).toMatchObject({ kind: 'cleaned', recordsBefore: 19, recordsAfter: 19 });
    expect(renames).not.toContain('rename');
  });

  it('goes on where the memory for keys ended, until all is clean', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 60, 12);
    const before = await fixture.table();
    const cleanTo: number[] = [];
    for (let i = 0; i < 60 && (await fixture.log.compactor.plan(0)).isDue; i++) {
      expect((await fixture.clean(5 * 32)).kind).toBe('cleaned');
      cleanTo.push(fixture.log.firstDirtyOffset);
      expect(await fixture.table()).toEqual(before);
    }
    expect(cleanTo.length).toBeGreaterThan(3);
    expect(cleanTo).toEqual([...cleanTo].sort((a, b) => a - b));
    expect((await fixture.records()).length).toBeLessThan(24);
  });

  it('says so when the memory holds not even the keys of one batch', async () => {
    const fixture = await CompactionFixture.open();
    for (let i = 0; i < 20; i++)
      fixture.put([
        { key: 'a', value: PAD },
        { key: 'b', value: PAD },
      ]);
    expect(await fixture.clean(24)).toEqual({ kind: 'no-room', records: 2 });
  });

  it('remembers across a restart up to where the log is clean, and less after a cut below', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 60, 3);
    await fixture.clean();
    const clean = fixture.log.firstDirtyOffset;
    expect(clean).toBeGreaterThan(50);
    await fixture.restart();
    expect(fixture.log.firstDirtyOffset).toBe(clean);
    await fixture.log.truncateTo(clean - 1);
    expect(fixture.log.firstDirtyOffset).toBeLessThan(clean);
    const end = fixture.log.logEndOffset;
    await fixture.crash();
    expect(fixture.log.firstDirtyOffset).toBeLessThanOrEqual(end);
    await fill(fixture, 20, 3, end);
    const before = await fixture.table();
    await fixture.clean();
    expect(await fixture.table()).toEqual(before);
  });

  it('drops a tombstone when delete.retention.ms have passed since it was first compacted', async () => {
    const fixture = await CompactionFixture.open();
    const tombstones = async () =>
      (await fixture.records()).filter(({ value }) => value === undefined).length;
    fixture.put([{ key: 'gone', value: 'x' }]);
    fixture.put([{ key: 'gone' }]);
    await fill(fixture, 20, 2, 2);
    await fixture.clean();
    expect(await tombstones()).toBe(1);
    fixture.nowMs += 999;
    await fill(fixture, 20, 2, 22);
    await fixture.clean();
    expect(await tombstones()).toBe(1);
    fixture.nowMs += 1;
    await fill(fixture, 20, 2, 42);
    await fixture.clean();
    expect(await tombstones()).toBe(0);
    expect((await fixture.table()).has('gone')).toBe(false);
  });

  it('keeps tombstones for ever when delete.retention.ms says so, with their timestamps', async () => {
    const fixture = await CompactionFixture.open({ config: { deleteRetentionMs: Number.MAX_SAFE_INTEGER } });
    fixture.nowMs = 1001;
    fixture.put([{ key: 'gone' }]);
    fixture.nowMs = 1_790_000_000_124;
    await fill(fixture, 20, 2, 1);
    await fixture.clean();
    expect(await fixture.log.offsetForTimestamp(0)).toEqual({ offset: 0, timestampMs: 1001 });
    fixture.nowMs *= 100;
    await fill(fixture, 20, 2, 21);
    await fixture.clean();
    expect((await fixture.records())[0]).toMatchObject({ offset: 0, value: undefined });
  });

  it('finds the largest timestamp of a record although a header without records bears a larger one', async () => {
    const fixture = await CompactionFixture.open();
    fixture.nowMs = 9_000_000;
    fixture.put([{ key: 'k0', value: 'x' }]);
    fixture.nowMs = 1_000_000;
    await fill(fixture, 20, 2, 1);
    await fixture.clean();
    expect((await headers(fixture))[0]).toMatchObject({ count: 0, maxTimestamp: 9_000_000 });
    expect((await fixture.log.maxTimestamp())?.timestampMs).toBe(1_000_000);
    await fixture.restartWithout('index');
    expect((await fixture.log.maxTimestamp())?.timestampMs).toBe(1_000_000);
  });

  it('ends when the log is closed meanwhile, and the log is whole', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 60, 4);
    const before = await fixture.table();
    const { release, arrived } = fixture.hold('sync', '.cleaned');
    const cleaning = fixture.clean();
    await arrived;
    const restarting = fixture.restart();
    release();
    expect(await cleaning).toEqual({ kind: 'given-up' });
    await restarting;
    expect(await fixture.table()).toEqual(before);
    expect(
      (await fixture.files.list(fixture.log.directory)).filter((name) => /cleaned|swap/.test(name)),
    ).toEqual([]);
  });

  it('shows at once, also to readers who are served from memory', async () => {
    const fixture = await CompactionFixture.open({ tailCacheBytes: 1_000_000 });
    await fill(fixture, 60, 4);
    await fixture.clean();
    expect((await fixture.records()).length).toBeLessThan(20);
  });

  it('leaves files in which neither scrub nor inspection finds a fault', async () => {
    const fixture = await CompactionFixture.open();
    fixture.put([{ key: 'gone', value: 'x' }]);
    fixture.nowMs -= 1000;
    fixture.put([{ key: 'gone' }]);
    await fill(fixture, 60, 7, 2);
    await fixture.clean();
    await fixture.manager.close({ brokerEpoch: 7 });
    for (const path of await findLogFiles(fixture.files, '/data'))
      for await (const one of inspectLogFile(fixture.files, path, {
        deep: true,
        verifyIndex: path.endsWith('.log'),
      }))
        expect(one.kind === 'finding' ? one : undefined, path).toBeUndefined();
  });

  it('is noticed to have lost a segment, as any other log', async () => {
    const fixture = await CompactionFixture.open({ config: { segmentBytes: 200 } });
    for (let i = 0; i < 60; i++) fixture.put([{ key: `k${i % 15}`, value: PAD }]);
    await fixture.clean();
    const [, second = ''] = await segmentNames(fixture);
    await fixture.manager.close({ brokerEpoch: 7 });
    await fixture.files.remove(`${fixture.log.directory}/${second}`);
    await fixture.reopen();
    expect(fixture.log.failure?.message).toMatch(/expected batches up to offset/);
  });

  it('is not for retention unless cleanup.policy says delete too', async () => {
    const both = await CompactionFixture.open({ config: { deletes: true, retentionMs: 10 } });
    const only = await CompactionFixture.open({
      config: { deletes: false, retentionMs: 10, retentionBytes: 1 },
    });
    for (const fixture of [both, only]) {
      await fill(fixture, 40, 4);
      await fixture.clean();
      fixture.nowMs += 1000;
      await fixture.manager.applyRetention(fixture.nowMs);
    }
    expect(only.log.logStartOffset).toBe(0);
    expect(both.log.logStartOffset).toBeGreaterThan(30);
    only.log.config = { ...only.log.config, deletes: true };
    await only.manager.applyRetention(only.nowMs);
    expect(only.log.logStartOffset).toBeGreaterThan(30);
  });
});

describe('a compacted topic', () => {
  it('takes no record without a key, and says which one and what to do', async () => {
    const fixture = await CompactionFixture.open();
    const without = (compression: 'none' | 'gzip') => {
      const builder = new BatchBuilder({ compression });
      builder.append({ key: Buffer.from('a'), value: Buffer.from('1'), timestampMs: 1 });
      builder.append({ value: Buffer.from('2'), timestampMs: 1 });
      return () => fixture.log.appendAsLeader(builder.build(), { leaderEpoch: 0, nowMs: 1 });
    };
    for (const compression of ['none', 'gzip'] as const)
      expect(without(compression)).toThrow(
        expect.objectContaining({
          code: 'INVALID_RECORD',
          message: expect.stringMatching(/record 1 has no key.*cleanup.policy.*send it a key/),
        }),
      );
    expect(fixture.log.logEndOffset).toBe(0);
    fixture.put([{ key: '' }]);
    fixture.log.config = { ...fixture.log.config, compacts: false };
    expect(without('none')().firstOffset).toBe(1);
  });

  it('that was not compacted before loses its records without a key', async () => {
    const fixture = await CompactionFixture.open({ config: { compacts: false } });
    for (let i = 0; i < 20; i++) fixture.append([`value ${i}${PAD}`]);
    fixture.log.config = { ...fixture.log.config, compacts: true };
    await fill(fixture, 20, 2, 20);
    const outcome = await fixture.clean();
    expect(outcome).toMatchObject({ kind: 'cleaned', keylessDropped: 20 });
    expect((await fixture.records()).every(({ key }) => key !== '')).toBe(true);
  });
});

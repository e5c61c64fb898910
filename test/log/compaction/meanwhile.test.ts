import { describe, expect, it } from 'vitest';
import { CompactionFixture } from './compaction-fixture.ts';

const PAD = '.'.repeat(40);

async function filled(
  options: Parameters<typeof CompactionFixture.open>[0] = {},
  count = 60,
): Promise<CompactionFixture> {
  const fixture = await CompactionFixture.open(options);
  for (let i = 0; i < count; i++) fixture.put([{ key: `k${i % 20}`, value: `v${i}${PAD}` }]);
  await fixture.settle();
  return fixture;
}

/** Offset to value, of what a reader gets from `from` on. */
async function valuesFrom(fixture: CompactionFixture, from: number) {
  return new Map((await fixture.records()).filter(({ offset }) => offset >= from).map((r) => [r.offset, r]));
}

const strays = async ({ files, log }: CompactionFixture) =>
  (await files.list(log.directory)).filter((name) => /cleaned|swap/.test(name));

describe('a cleaning', () => {
  it('looks at the log as it is when it begins, whatever was planned before', async () => {
    const fixture = await filled();
    await fixture.log.compactor.plan(fixture.nowMs);
    await fixture.log.truncateTo(30);
    const committed = await fixture.table();
    // Of a new leader, and committed by nobody: they may have to go again.
    for (let i = 0; i < 40; i++) fixture.put([{ key: `k${i % 20}`, value: `other ${i}${PAD}` }]);
    await fixture.flushed();
    expect(fixture.log.highWatermark).toBe(30);
    await fixture.cleanAsItIs();
    await fixture.log.truncateTo(30);
    expect(await fixture.table()).toEqual(committed);
  });

  it('of a log that has left meanwhile touches no file', async () => {
    const fixture = await filled();
    const { log } = fixture;
    await fixture.manager.delete('t', 0);
    await fixture.manager.create('t', 0, log.topicId, fixture.config);
    const touched = fixture.watch('.cleaned');
    expect(await fixture.cleanAsItIs()).toEqual({ kind: 'given-up' });
    expect(touched).toEqual([]);
  });

  it('ends although its head is deleted while the keys are read', async () => {
    const fixture = await filled();
    const before = await valuesFrom(fixture, 0);
    const { arrived, release } = fixture.hold('open', `${'0'.repeat(20)}.log`);
    const cleaning = fixture.clean();
    await arrived;
    await fixture.log.advanceLogStart(20);
    release();
    expect(await cleaning).toMatchObject({ kind: 'cleaned' });
    expect(fixture.log.firstDirtyOffset).toBeGreaterThan(40);
    for (const [offset, record] of await valuesFrom(fixture, 20)) expect(record).toEqual(before.get(offset));
    expect((await fixture.records()).map(({ offset }) => offset)[0]).toBeGreaterThanOrEqual(36);
  });

  it.each(['open', 'write', 'sync'] as const)(
    'ends although its head is deleted at the %s of the first group, which is made again without it',
    async (step) => {
      const fixture = await filled({ config: { segmentBytes: 1000 } });
      const truth = await fixture.table();
      const { arrived, release } = fixture.hold(step, '.cleaned');
      const cleaning = fixture.clean();
      await arrived;
      await fixture.log.advanceLogStart(15);
      release();
      expect(await cleaning).toMatchObject({ kind: 'cleaned' });
      expect(fixture.log.firstDirtyOffset).toBeGreaterThan(40);
      expect(await fixture.table()).toEqual(truth);
      expect((await fixture.records()).length).toBeLessThan(40);
      expect(await strays(fixture)).toEqual([]);
      await fixture.restart();
      expect(fixture.log.failure).toBeUndefined();
      expect(fixture.log.logStartOffset).toBe(15);
      expect(await fixture.table()).toEqual(truth);
    },
  );

  it('is given up when the log is cut, wherever', async () => {
    const fixture = await filled();
    const { arrived, release } = fixture.hold('sync', '.cleaned');
    const cleaning = fixture.clean();
    await arrived;
    const cutting = fixture.log.truncateTo(59);
    release();
    expect(await cleaning).toEqual({ kind: 'given-up' });
    await cutting;
    expect(fixture.log.firstDirtyOffset).toBe(0);
    expect(await strays(fixture)).toEqual([]);
  });

  it('is given up when the log goes offline, and leaves nothing behind', async () => {
    const fixture = await filled();
    const { arrived, release } = fixture.hold('sync', '.cleaned');
    const cleaning = fixture.clean();
    await arrived;
    fixture.log.takeOffline(new Error('a test'));
    release();
    expect(await cleaning).toEqual({ kind: 'given-up' });
    expect(await strays(fixture)).toEqual([]);
  });

  it('has what was deleted taken from it by the plan, too', async () => {
    const fixture = await filled({ config: { maxCompactionLagMs: 1000 } });
    await fixture.restart();
    const { arrived, release } = fixture.hold('open', `${'0'.repeat(20)}.log`);
    fixture.log.setHighWatermark(60);
    const planning = fixture.log.compactor.plan(fixture.nowMs);
    await arrived;
    await fixture.log.advanceLogStart(20);
    release();
    expect((await planning).endOffset).toBeGreaterThan(40);
  });
});

describe('what no CRC covers', () => {
  it.each([
    ['a base offset', 7],
    ['a leader epoch', 15],
  ])('is checked before a cleaning makes it last: %s', async (_, place) => {
    const fixture = await filled();
    const path = `${fixture.log.directory}/${'0'.repeat(20)}.log`;
    // Of the second batch: it would run into the third.
    const [first] = await fixture.headers();
    fixture.files.flipBit(path, ((first?.sizeBytes ?? 0) + place) * 8 + 1);
    await expect(fixture.clean()).rejects.toThrow(/damaged/);
    expect(fixture.log.firstDirtyOffset).toBe(0);
    expect(await strays(fixture)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { CompactionFixture } from './compaction-fixture.ts';

const PAD = '.'.repeat(40);

/** `count` batches of one record, keys in turn; the last are in the active segment. */
async function fill(fixture: CompactionFixture, count: number, keys: number, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) fixture.put([{ key: `k${i % keys}`, value: `v${i}${PAD}` }]);
  await fixture.settle();
}

describe('compacting a log', () => {
  it('keeps the last record of each key, at its offset, and the end of the log', async () => {
    const fixture = await CompactionFixture.open();
    await fill(fixture, 60, 4);
    const before = await fixture.table();
    const end = fixture.log.logEndOffset;
    const outcome = await fixture.clean();
    expect(outcome.kind).toBe('cleaned');
    expect(await fixture.table()).toEqual(before);
    expect(fixture.log.logEndOffset).toBe(end);
    const records = await fixture.records();
    expect(records.length).toBeLessThan(20);
    for (const { offset, value } of records) expect(value).toBe(`v${offset}${PAD}`);
    expect(fixture.log.failure).toBeUndefined();
    await fixture.restart();
    expect(await fixture.table()).toEqual(before);
    expect(fixture.log.logEndOffset).toBe(end);
  });
});

import { expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

const FIRST = '/data/t-0/00000000000000000000';

async function rolledLog(): Promise<LogFixture> {
  const fixture = await LogFixture.open({ config: { segmentBytes: 1000, indexIntervalBytes: 100 } });
  for (let i = 0; i < 30; i++) fixture.append([`value ${i}`]);
  await fixture.flushed();
  return fixture;
}

it('the indexes of a closed segment that are missing at the start are made anew, once for all starts', async () => {
  const fixture = await rolledLog();
  await fixture.restart();
  for (const suffix of ['index', 'timeindex']) await fixture.files.remove(`${FIRST}.${suffix}`);
  await fixture.kill();
  expect(fixture.log.failure).toBeUndefined();
  for (const suffix of ['index', 'timeindex'])
    expect((await fixture.files.stat(`${FIRST}.${suffix}`))?.sizeBytes, suffix).toBeGreaterThan(0);
});

it('an index file appears whole: half of one could be taken for an older segment', async () => {
  const fixture = await LogFixture.open({ config: { segmentBytes: 1000, indexIntervalBytes: 100 } });
  const seen = fixture.watch('0.timeindex');
  for (let i = 0; i < 30; i++) fixture.append([`value ${i}`]);
  await fixture.restart();
  expect(new Set(seen)).not.toContain('write');
  expect((await fixture.files.stat(`${FIRST}.timeindex`))?.sizeBytes).toBeGreaterThan(0);
});

import { describe, expect, it } from 'vitest';
import { CorruptionError } from '../../src/base/index.ts';
import { LogFixture, TOPIC_ID } from './log-fixture.ts';

const VALUE = 'x'.repeat(100);

/** One batch per segment, offsets 0 to `count` - 1; `epochOf` names the leader epoch of each. */
async function segments(count: number, epochOf: (offset: number) => number = () => 0): Promise<LogFixture> {
  const fixture = await LogFixture.open({ config: { segmentBytes: 200 } });
  for (let i = 0; i < count; i++) fixture.append([VALUE], { epoch: epochOf(i) });
  await fixture.flushed();
  return fixture;
}

const logOf = (offset: number) => `/data/t-0/${String(offset).padStart(20, '0')}.log`;

describe.each(['clean stop', 'crash'] as const)('after a %s', (end) => {
  const stop = (fixture: LogFixture) =>
    end === 'crash' ? fixture.crash() : fixture.manager.close({ brokerEpoch: 7 });

  it.each([
    ['missing', (fixture: LogFixture) => fixture.files.remove(logOf(2))],
    ['empty', (fixture: LogFixture) => cut(fixture, logOf(2))],
  ])('a closed segment that is %s is damage, not a hole', async (_, spoil) => {
    const fixture = await segments(5);
    await stop(fixture);
    if (end === 'crash') await fixture.log.release();
    await spoil(fixture);
    await fixture.kill();
    expect(fixture.log.failure).toBeInstanceOf(CorruptionError);
  });

  it('epochs whose file is lost are found in the batches, those of closed segments too', async () => {
    const fixture = await segments(6, (offset) => Math.floor(offset / 2));
    await stop(fixture);
    await fixture.files.remove('/data/t-0/leader-epoch-checkpoint');
    await fixture.kill();
    expect(fixture.log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 2 });
    expect(fixture.log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 4 });
    expect(fixture.log.latestEpoch).toBe(2);
  });
});

/** Where a batch says its leader epoch, and not under its CRC; where it says its format. */
const EPOCH_BIT = 15 * 8 + 7;
const MAGIC_BIT = 16 * 8;

describe('an epoch that turns in a batch', () => {
  it('of a closed segment is damage when the file of the epochs is lost: no later batch has a lower one', async () => {
    const fixture = await segments(6, (offset) => Math.floor(offset / 2));
    await fixture.files.remove('/data/t-0/leader-epoch-checkpoint');
    fixture.files.flipBit(logOf(3), EPOCH_BIT);
    await fixture.kill();
    expect(fixture.log.failure).toMatchObject({
      file: logOf(4),
      expected: 'leader epoch 129 or later',
      found: '2',
    });
  });

  it('above the recovery point is damage: what a crash tears has no CRC that fits', async () => {
    const fixture = await LogFixture.open();
    for (let i = 0; i < 6; i++) fixture.append([VALUE], { epoch: 1 });
    await fixture.flushed();
    fixture.files.flipBit(logOf(0), EPOCH_BIT);
    await fixture.kill();
    expect(fixture.log.failure).toMatchObject({ expected: 'leader epoch 129 or later', found: '1' });
  });
});

it('a closed segment that cannot be read to its end is damage when its epochs are looked for', async () => {
  const fixture = await LogFixture.open({ config: { segmentBytes: 2000, indexIntervalBytes: 100 } });
  for (let i = 0; i < 30; i++) fixture.append([VALUE], { epoch: Math.floor(i / 3), timeMs: 1000 + i });
  await fixture.flushed();
  expect(fixture.log.segmentCount).toBeGreaterThan(1);
  await fixture.files.remove('/data/t-0/leader-epoch-checkpoint');
  fixture.files.flipBit(logOf(0), MAGIC_BIT);
  await fixture.kill();
  expect(fixture.log.failure).toMatchObject({ file: logOf(0), position: 0 });
});

async function cut({ files }: LogFixture, path: string): Promise<void> {
  const handle = await files.open(path, 'write');
  await handle.truncate(0);
  await handle.sync();
  await handle.close();
}

/** Moments of a cut, in turns of the event loop, at which the power may fail. */
const MOMENTS = Array.from({ length: 60 }, (_, i) => i * 5);

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

describe('a cut that the power ends', () => {
  it('leaves no record whose epoch is not known', async () => {
    for (const moment of MOMENTS) {
      const fixture = await segments(6, (offset) => (offset < 2 ? 3 : 5));
      // A sync is on its way, which saves epochs as well.
      fixture.append([VALUE], { epoch: 6 });
      await turns(4);
      fixture.log.truncateTo(2).catch(() => {});
      await turns(moment);
      await fixture.crash(moment);
      const { log } = fixture;
      expect(log.failure).toBeUndefined();
      expect(log.logEndOffset).toBeGreaterThanOrEqual(2);
      expect(log.endOffsetForEpoch(3), `moment ${moment}`).toEqual({ epoch: 3, endOffset: 2 });
    }
  });

  it('leaves a log that opens, also when it went through the batch that holds the start', async () => {
    for (const moment of MOMENTS) {
      const fixture = await LogFixture.open();
      fixture.append(['a', 'b', 'c', 'd', 'e', 'f']);
      fixture.append(['g']);
      await fixture.flushed();
      fixture.log.setHighWatermark(7);
      await fixture.log.advanceLogStart(3);
      await fixture.manager.checkpointHighWatermarks();
      fixture.log.truncateTo(5).catch(() => {});
      await turns(moment);
      await fixture.crash(moment);
      expect(fixture.log.failure, `moment ${moment}`).toBeUndefined();
      expect(fixture.log.logStartOffset).toBe(3);
    }
  });
});

describe('a log that cannot be made', () => {
  it('is refused, and can be made when there is room again', async () => {
    const fixture = await LogFixture.open();
    fixture.files.failNext({ operation: 'open', path: 'u-0/00000000000000000000.log', reason: 'disk-full' });
    await expect(fixture.manager.create('u', 0, TOPIC_ID, fixture.config)).rejects.toThrow('disk-full');
    expect(fixture.manager.find('u', 0)).toBeUndefined();
    const log = await fixture.manager.create('u', 0, TOPIC_ID, fixture.config);
    expect(log.failure).toBeUndefined();
  });

  it('once deleted leaves the files of its successor alone', async () => {
    const fixture = await segments(4);
    fixture.log.setHighWatermark(4);
    const held = fixture.hold('rename', '00000000000000000000.timeindex');
    const advanced = fixture.log.advanceLogStart(3).catch(() => {});
    await held.arrived;
    const deleted = fixture.manager.delete('t', 0);
    for (let i = 0; i < 500; i++) await undefined;
    expect(fixture.files.paths().some((path) => path.includes('-delete'))).toBe(false);
    expect(fixture.files.paths()).toContain(logOf(3));
    held.release();
    await Promise.all([advanced, deleted]);
    expect(fixture.files.paths().some((path) => path.includes('t-0'))).toBe(false);
  });
});

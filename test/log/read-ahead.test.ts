import { describe, expect, it } from 'vitest';
import { NOTHING, READ_AHEAD_BYTES, ReadAhead } from '../../src/log/read/read-ahead.ts';
import { LogFixture, valuesOf } from './log-fixture.ts';

const CONFIG = { segmentBytes: 1_000_000, indexIntervalBytes: 100 };
const FILE = '00000000000000000000.log';
/** One batch of at least 16 KiB to a read: no smaller reads of files are made. */
const STEP = 20_000;
const BATCHES = 40;

const textOf = (i: number, tag = 'first'): string => `${i} ${tag} `.padEnd(STEP - 1000, 'x');

/** A log of batches of one record, nothing of it in memory. */
async function build(): Promise<LogFixture> {
  const fixture = await LogFixture.open({ config: CONFIG, tailCacheBytes: 0 });
  for (let i = 0; i < BATCHES; i++) fixture.append([textOf(i)]);
  await fixture.flushed();
  return fixture;
}

async function step({ log }: LogFixture, from: number): Promise<string[]> {
  const read = await log.read(from, { maxBytes: STEP, upperBound: log.logEndOffset, atLeastOne: true });
  return valuesOf(read, from);
}

const held = (): { ahead: Buffer } => ({ ahead: Buffer.allocUnsafeSlow(READ_AHEAD_BYTES) });

describe('reading ahead', () => {
  it('serves several small steps from one read of the file', async () => {
    const fixture = await build();
    const seen = fixture.watch(FILE);
    for (let i = 0; i < BATCHES; i++) expect(await step(fixture, i)).toEqual([textOf(i)]);
    expect(seen.filter((operation) => operation === 'read').length).toBeLessThan(BATCHES / 4);
  });

  it('serves a few readers at different places, each from its own window', async () => {
    const fixture = await build();
    const seen = fixture.watch(FILE);
    for (let i = 0; i < 10; i++)
      for (const start of [0, 10, 20, 30])
        expect(await step(fixture, start + i)).toEqual([textOf(start + i)]);
    expect(seen.filter((operation) => operation === 'read').length).toBeLessThan(4 * 5);
  });

  it('serves nothing of what was cut away meanwhile', async () => {
    const fixture = await build();
    for (let i = 0; i < 5; i++) await step(fixture, i);
    await fixture.log.truncateTo(6);
    for (let i = 6; i < BATCHES; i++) fixture.append([textOf(i, 'second')]);
    await fixture.flushed();
    expect(await step(fixture, 5)).toEqual([textOf(5)]);
    for (let i = 6; i < BATCHES; i++) expect(await step(fixture, i)).toEqual([textOf(i, 'second')]);
  });

  it('serves nothing of a log that is closed', async () => {
    const fixture = await build();
    for (let i = 0; i < 5; i++) await step(fixture, i);
    await fixture.manager.close({ brokerEpoch: 1 });
    expect(() => fixture.log.read(5, { maxBytes: STEP, upperBound: 40, atLeastOne: true })).toThrow(/closed/);
  });

  it('serves nothing unchecked: damage that was read ahead is met where it stands', async () => {
    const fixture = await build();
    const handle = await fixture.files.open(`/data/t-0/${FILE}`, 'write');
    const at = Math.floor((4.5 * (await handle.sizeBytes())) / BATCHES);
    await handle.write([Buffer.from('?')], at);
    for (let i = 0; i < 4; i++) expect(await step(fixture, i)).toEqual([textOf(i)]);
    await expect(step(fixture, 4)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    expect(fixture.log.failure).toMatchObject({ name: 'CorruptionError' });
  });

  it('reads the file anew for who asks what it holds now', async () => {
    const fixture = await build();
    for (let i = 0; i < 4; i++) await step(fixture, i);
    const handle = await fixture.files.open(`/data/t-0/${FILE}`, 'write');
    await handle.write([Buffer.from('?')], Math.floor((4.5 * (await handle.sizeBytes())) / BATCHES));
    const options = { maxBytes: STEP, upperBound: BATCHES, atLeastOne: true };
    await expect(fixture.log.readStored(4, options)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
  });
});

describe('the memory for what is read ahead', () => {
  it('is bounded: whom there is no room for keeps nothing', () => {
    const memory = new ReadAhead(2 * READ_AHEAD_BYTES);
    const [one, two, three] = [held(), held(), held()];
    for (const holder of [one, two]) {
      expect(memory.ask()).toBe(true);
      memory.hold(holder);
    }
    expect(memory.ask()).toBe(false);
    memory.hold(three);
    expect(three.ahead).toBe(NOTHING);
    expect(memory.sizeBytes).toBe(2 * READ_AHEAD_BYTES);
    memory.release(one);
    memory.release(one);
    expect(memory.sizeBytes).toBe(READ_AHEAD_BYTES);
    expect(memory.ask()).toBe(true);
  });

  it('counts a piece of a window as the whole, and once', () => {
    const memory = new ReadAhead();
    const piece = { ahead: held().ahead.subarray(READ_AHEAD_BYTES - 1) };
    memory.hold(piece);
    expect(memory.sizeBytes).toBe(READ_AHEAD_BYTES);
    memory.release(piece);
    expect(memory.sizeBytes).toBe(0);
  });

  it('is taken from one whose reader stays away for thousands of requests, never from one in use', () => {
    const memory = new ReadAhead(2 * READ_AHEAD_BYTES);
    const [away, inUse] = [held(), held()];
    memory.hold(away);
    memory.hold(inUse);
    let granted = 0;
    for (let i = 0; i < 4095; i++) {
      memory.release(inUse);
      memory.hold(inUse);
      if (memory.ask()) granted++;
    }
    expect(granted).toBe(0);
    expect(memory.ask()).toBe(true);
    expect([away.ahead.length, inUse.ahead.length]).toEqual([0, READ_AHEAD_BYTES]);
  });
});

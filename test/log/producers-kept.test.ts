import { describe, expect, it } from 'vitest';
import { batchOf, LogFixture } from './log-fixture.ts';

const offsetsOf = (fixture: LogFixture, suffix: string): number[] =>
  fixture.files
    .paths()
    .filter((path) => path.endsWith(suffix))
    .map((path) => Number.parseInt(path.split('/').at(-1) ?? '', 10));

/** Two records of producer 5. */
const produce = (fixture: LogFixture, baseSequence: number, timeMs = 4000) =>
  fixture.append(['x', 'y'], { producerId: 5, producerEpoch: 0, baseSequence, timeMs });

describe('snapshots of producers', () => {
  it('above the end of a log are gone for good before other batches take their place', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const fixture = await LogFixture.open();
      for (let i = 0; i < 4; i++) produce(fixture, 2 * i);
      await fixture.restart();
      // A cut ends after the file was cut and before the snapshot of the clean stop is removed.
      fixture.files.failNext({ operation: 'remove', path: '8.snapshot', reason: 'io-error' });
      await expect(fixture.log.truncateTo(2)).rejects.toThrow();
      await fixture.kill(seed);
      expect(fixture.log.logEndOffset).toBe(2);
      for (let i = 0; i < 4; i++)
        fixture.append(['a', 'b'], { producerId: 6, producerEpoch: 0, baseSequence: 2 * i });
      await fixture.flushed();
      await fixture.crash(seed);
      expect(fixture.log.logEndOffset).toBe(10);
      expect(() => produce(fixture, 8), `seed ${seed}`).toThrow(/must send sequence 2/);
      expect(produce(fixture, 2)).toMatchObject({ duplicate: false });
    }
  });

  it('above a cut go with it: the log may grow beyond them in another way', async () => {
    const fixture = await LogFixture.open();
    for (let i = 0; i < 4; i++) produce(fixture, 2 * i);
    await fixture.restart();
    await fixture.log.truncateTo(2);
    for (let i = 0; i < 5; i++) fixture.append(['a', 'b']);
    await fixture.flushed();
    await fixture.kill();
    expect(() => produce(fixture, 8)).toThrow(/must send sequence 2/);
  });

  it('are gone on with from where they stand, and no batch is counted twice', async () => {
    const fixture = await LogFixture.open({ config: { indexIntervalBytes: 0 } });
    for (let i = 0; i < 5; i++) produce(fixture, 2 * i);
    await fixture.restart();
    fixture.append(['a', 'b']);
    await fixture.flushed();
    await fixture.kill();
    expect(produce(fixture, 0)).toMatchObject({ firstOffset: 0, duplicate: true });
  });

  it('do not pile up with each clean stop', async () => {
    const fixture = await LogFixture.open({ config: { segmentBytes: 300 } });
    for (let i = 0; i < 8; i++) {
      produce(fixture, 2 * i);
      await fixture.restart();
    }
    const bases = offsetsOf(fixture, '.log');
    expect(bases).toEqual([0, 6, 12]);
    expect(offsetsOf(fixture, '.snapshot')).toEqual([6, 12, 16]);
    expect(produce(fixture, 6)).toMatchObject({ duplicate: true });
  });
});

describe('the answer to a repeated batch', () => {
  it('bears the time of the batch in the log, not that of the repetition', async () => {
    const fixture = await LogFixture.open({ config: { timestampType: 'LogAppendTime' } });
    const produceAt = (nowMs: number) =>
      fixture.log.appendAsLeader(batchOf(['x'], { producerId: 5, producerEpoch: 0, baseSequence: 0 }), {
        leaderEpoch: 0,
        nowMs,
      });
    expect(produceAt(5000)).toMatchObject({ logAppendTimeMs: 5000, duplicate: false });
    expect(produceAt(9000)).toMatchObject({ logAppendTimeMs: 5000, duplicate: true });
    await fixture.restart();
    expect(produceAt(9000)).toMatchObject({ logAppendTimeMs: 5000, duplicate: true });
  });
});

describe('a silent producer', () => {
  const opened = () => LogFixture.open({ config: { producerIdExpirationMs: 1000, retentionMs: -1 } });
  const NOW = 1_000_000;

  for (const [timestamps, timeMs] of Object.entries({ old: 3, missing: -1, future: 9 * NOW }))
    it(`is forgotten by when it was heard, with ${timestamps} timestamps too`, async () => {
      const fixture = await opened();
      produce(fixture, 0, timeMs);
      await fixture.flushed();
      await fixture.log.applyRetention(NOW);
      expect(produce(fixture, 0, timeMs)).toMatchObject({ duplicate: true });
      produce(fixture, 2, timeMs);
      await fixture.log.applyRetention(NOW + 1000);
      expect(produce(fixture, 2, timeMs)).toMatchObject({ duplicate: true });
      await fixture.log.applyRetention(NOW + 2001);
      expect(produce(fixture, 2, timeMs)).toMatchObject({ duplicate: false });
    });

  it('was heard when it was, through any number of clean restarts', async () => {
    const fixture = await opened();
    await fixture.log.applyRetention(NOW);
    produce(fixture, 0, 3);
    await fixture.restart();
    await fixture.log.applyRetention(NOW + 900);
    expect(produce(fixture, 0, 3)).toMatchObject({ duplicate: true });
    await fixture.restart();
    await fixture.log.applyRetention(NOW + 1001);
    expect(produce(fixture, 0, 3)).toMatchObject({ duplicate: false });
  });

  it('that a cut or a start found in the log counts as heard when silent ones are looked for first', async () => {
    const fixture = await opened();
    produce(fixture, 0, 3);
    produce(fixture, 2, 3);
    await fixture.log.applyRetention(NOW);
    await fixture.log.truncateTo(2);
    await fixture.log.applyRetention(NOW + 3000);
    expect(produce(fixture, 0, 3)).toMatchObject({ duplicate: true });
    await fixture.flushed();
    await fixture.kill();
    await fixture.log.applyRetention(NOW + 9000);
    expect(produce(fixture, 0, 3)).toMatchObject({ duplicate: true });
    await fixture.log.applyRetention(NOW + 10_001);
    expect(produce(fixture, 0, 3)).toMatchObject({ duplicate: false });
  });
});

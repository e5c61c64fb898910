import { describe, expect, it } from 'vitest';
import { LogFixture } from './log-fixture.ts';

const STATE = (fixture: LogFixture) => [fixture.log.logStartOffset, fixture.log.logEndOffset];

/** From the operation with this number on, files do nothing and say nothing; how many there were. */
function stopAfter(fixture: LogFixture, count: number): { readonly seen: () => number; go: () => void } {
  const perform = fixture.files.perform.bind(fixture.files);
  let seen = 0;
  fixture.files.perform = (operation, path, effect) =>
    seen++ < count ? perform(operation, path, effect) : new Promise<never>(() => {});
  return {
    seen: () => seen,
    go: () => {
      fixture.files.perform = perform;
    },
  };
}

async function quiet(): Promise<void> {
  for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Offsets 0 and 1 were deleted, 2 and 3 are there. */
async function withStart(): Promise<LogFixture> {
  const fixture = await LogFixture.open({ config: { segmentBytes: 150 } });
  for (const value of ['gone', 'gone', 'a', 'b']) fixture.append([value], { epoch: 4 });
  await fixture.flushed();
  fixture.log.setHighWatermark(2);
  await fixture.log.advanceLogStart(2);
  await fixture.settled();
  await fixture.manager.checkpointHighWatermarks();
  return fixture;
}

describe('a log whose end was lost, below the start that was saved', () => {
  it('goes on at that start, so that no offset that was read and deleted comes again', async () => {
    let lost = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const fixture = await LogFixture.open({ config: { writeCaching: true } });
      fixture.append(['a'], { epoch: 3 });
      await fixture.flushed();
      fixture.append(['b', 'c'], { epoch: 3, producerId: 5, producerEpoch: 0, baseSequence: 0 });
      await fixture.flushed();
      fixture.log.setHighWatermark(3);
      await fixture.log.advanceLogStart(3);
      await fixture.crash(seed);
      lost += fixture.warnings.filter(({ message }) => message === 'a log ends below its start').length;
      expect(STATE(fixture)).toEqual([3, 3]);
      expect(fixture.append(['d'], { epoch: 3 }).firstOffset).toBe(3);
      await fixture.flushed();
      await fixture.restart();
      expect(await fixture.values()).toEqual(['d']);
      expect(STATE(fixture)).toEqual([3, 4]);
    }
    expect(lost).toBeGreaterThan(0);
  });
});

describe('a log that is emptied to begin elsewhere', () => {
  for (const offset of [0, 1, 50])
    for (const end of ['crash', 'kill'] as const)
      it(`at ${offset} is what it was or begins there, wherever a ${end} comes between`, async () => {
        const seen = new Set<string>();
        for (let count = 0; ; count++) {
          const fixture = await withStart();
          const stop = stopAfter(fixture, count);
          let isDone = false;
          fixture.log.truncateFullyAndStartAt(offset).then(
            () => {
              isDone = true;
            },
            () => {},
          );
          await quiet();
          stop.go();
          await fixture[end](count);
          expect(fixture.log.failure).toBeUndefined();
          const values = await fixture.values();
          const found = JSON.stringify([...STATE(fixture), ...values]);
          seen.add(found);
          if (isDone) expect(found).toBe(JSON.stringify([offset, offset]));
          expect(['[2,4,"a","b"]', JSON.stringify([offset, offset])]).toContain(found);
          if (found.startsWith(`[${offset},`)) expect(fixture.log.latestEpoch).toBe(-1);
          // What it goes on with is what the next start finds.
          fixture.append(['next'], { epoch: 5 });
          await fixture.flushed();
          await fixture[end](count);
          expect(await fixture.values()).toEqual([...values, 'next']);
          expect(fixture.files.paths().filter((path) => path.endsWith('.restart'))).toEqual([]);
          if (isDone) break;
        }
        expect(seen.size).toBe(2);
      });
});

describe('a cut to a log start within a batch', () => {
  it('leaves known what producers sent before that batch, after a crash too', async () => {
    const fixture = await LogFixture.open();
    const produce = (baseSequence: number) =>
      fixture.append(['x', 'y'], { producerId: 5, producerEpoch: 0, baseSequence });
    produce(0);
    produce(2);
    await fixture.flushed();
    fixture.log.setHighWatermark(3);
    await fixture.log.advanceLogStart(3);
    await fixture.log.truncateTo(3);
    expect(STATE(fixture)).toEqual([3, 3]);
    expect(produce(0)).toMatchObject({ firstOffset: 0, duplicate: true });
    await fixture.crash();
    expect(STATE(fixture)).toEqual([3, 3]);
    expect(produce(0)).toMatchObject({ firstOffset: 0, duplicate: true });
    expect(produce(2)).toMatchObject({ firstOffset: 3, duplicate: false });
    await fixture.flushed();
    await fixture.kill();
    expect(produce(2)).toMatchObject({ firstOffset: 3, duplicate: true });
  });
});

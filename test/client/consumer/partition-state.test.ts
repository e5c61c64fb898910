import { describe, expect, it } from 'vitest';
import { Cursor } from '../../../src/client/consumer/cursor.ts';
import { PartitionState } from '../../../src/client/consumer/partition-state.ts';
import { BatchBuilder, stampBatch } from '../../../src/log/record/index.ts';
import type { FetchPartitionReply } from '../../../src/rpc/api/index.ts';

function batch(baseOffset: number, count: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none' });
  for (let i = 0; i < count; i++) builder.append({ value: Buffer.from(`${baseOffset + i}`), timestampMs: 1 });
  const bytes = builder.build();
  stampBatch(bytes, { baseOffset, leaderEpoch: 0 });
  return bytes;
}

function reply(...batches: Uint8Array[]): FetchPartitionReply {
  const ends = { highWatermark: 100, lastStableOffset: 100, logStartOffset: 0 };
  return { topic: 't', partition: 0, error: 'NONE', ...ends, batches, records: [] };
}

const values = (records: readonly { value: Buffer | null }[] | undefined) =>
  records?.map(({ value }) => String(value));

describe('partition state', () => {
  it('drops records below the position and whole batches below the fetch offset', () => {
    const state = new PartitionState('t', 0, { offset: 3 });
    state.accept(reply(batch(0, 5), batch(5, 2)), true);
    expect(state.fetchOffset).toBe(7);
    state.accept(reply(batch(5, 2), batch(7, 1)), true);
    expect(values(state.take(500))).toEqual(['3', '4']);
    expect(values(state.take(500))).toEqual(['5', '6']);
    expect(values(state.take(500))).toEqual(['7']);
    expect(state.take(500)).toBeUndefined();
    expect(state.bufferedBytes).toBe(0);
  });

  it('never fetches again what it has', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(batch(0, 5), batch(5, 5)), true);
    const { bufferedBytes } = state;
    state.accept(reply(batch(0, 5)), true);
    expect([state.fetchOffset, state.bufferedBytes]).toEqual([10, bufferedBytes]);
  });

  it('goes past offsets that compaction removed', () => {
    const state = new PartitionState('t', 0, { offset: 2 });
    state.accept(reply(batch(5, 1)), true);
    expect(values(state.take(500))).toEqual(['5']);
    expect(state.position).toBe(6);
  });

  it('takes several batches out of one piece of bytes', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(Buffer.concat([batch(0, 2), batch(2, 2)])), true);
    expect([values(state.take(500)), values(state.take(500))]).toEqual([
      ['0', '1'],
      ['2', '3'],
    ]);
  });

  it('refuses bytes that do not end with a batch, and takes nothing of them', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    const cut = Buffer.concat([batch(0, 2), batch(2, 2)]).subarray(0, -1);
    expect(() => state.accept(reply(cut), true)).toThrow(/^t-0: what was fetched/);
    expect(state.hasFetched).toBe(false);
    try {
      state.accept(reply(cut), true);
    } catch (error) {
      expect(error).toMatchObject({ code: 'CORRUPT_MESSAGE' });
    }
  });

  it('makes answers under way stale when it is moved', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(batch(0, 5)), true);
    const { turn } = state;
    state.moveTo(50);
    expect(state.turn).toBeGreaterThan(turn);
    expect(state.hasFetched).toBe(false);
    expect(state.fetchOffset).toBe(50);
  });

  it('ends at its limit inside a batch and goes on there without it', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.limit = 3;
    state.accept(reply(batch(0, 5)), true);
    expect(values(state.take(500))).toEqual(['0', '1', '2']);
    expect(state.isAtLimit).toBe(true);
    state.clearLimit();
    expect(state.fetchOffset).toBe(3);
    state.accept(reply(batch(0, 5)), true);
    expect(values(state.take(500))).toEqual(['3', '4']);
  });
});

describe('a batch of many records', () => {
  const offsets = (records: readonly { offset: number }[] | undefined) =>
    records?.map(({ offset }) => offset);

  it('is given a few at a time, and the position is behind the last one given', () => {
    const state = new PartitionState('t', 0, { offset: 1 });
    state.accept(reply(batch(0, 6), batch(6, 1)), true);
    const { bufferedBytes } = state;
    expect([offsets(state.take(2)), state.position, state.isReading]).toEqual([[1, 2], 3, true]);
    expect(state.bufferedBytes).toBe(bufferedBytes);
    expect([offsets(state.take(3)), state.position, state.isReading]).toEqual([[3, 4, 5], 6, false]);
    expect(state.bufferedBytes).toBeLessThan(bufferedBytes);
    expect(offsets(state.take(3))).toEqual([6]);
  });

  it('is given fewer at a time when they have many headers, one at least', () => {
    const builder = new BatchBuilder({ compression: 'none' });
    const headers = Array.from({ length: 6000 }, () => ({ key: '' }));
    for (let i = 0; i < 5; i++) builder.append({ timestampMs: 1, headers: i === 4 ? [] : headers });
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(builder.build()), true);
    expect(offsets(state.take(500))).toEqual([0, 1]);
    expect(offsets(state.take(500))).toEqual([2, 3]);
    expect(offsets(state.take(500))).toEqual([4]);
  });

  it('goes on where it was put back, and nothing stays open', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(batch(0, 6), batch(6, 1)), true);
    state.take(4);
    state.putBack(2);
    expect([state.position, state.isReading, state.fetchOffset]).toEqual([2, false, 7]);
    expect(offsets(state.take(2))).toEqual([2, 3]);
    state.take(2);
    state.putBack(5);
    expect([state.position, state.fetchOffset, state.hasFetched]).toEqual([5, 5, false]);
  });

  it('is forgotten by a seek into the middle of it', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(batch(0, 6)), true);
    state.take(2);
    state.moveTo(4);
    expect([state.isReading, state.take(2)]).toEqual([false, undefined]);
    state.accept(reply(batch(0, 6)), true);
    expect(offsets(state.take(9))).toEqual([4, 5]);
  });

  it('that cannot be read gives what is before, then its error at each call until a seek', () => {
    const bad = Buffer.from(batch(0, 6));
    // Records of 9 bytes; the fourth says it is longer.
    const fourth = 61 + 3 * 8;
    bad[fourth] = (bad[fourth] ?? 0) + 2;
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(bad, batch(6, 1)), false);
    expect(offsets(state.take(2))).toEqual([0, 1]);
    expect(offsets(state.take(2))).toEqual([2]);
    const message = /^t-0 at 3: .* record 3 .*; seek to 6 to go on after it$/;
    for (let i = 0; i < 2; i++) expect(() => state.take(2)).toThrow(message);
    expect([state.position, state.isReading]).toEqual([3, false]);
    state.moveTo(6);
    state.accept(reply(batch(6, 1)), true);
    expect(offsets(state.take(2))).toEqual([6]);
  });

  it('ends at the limit, also where that is between two times', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.limit = 4;
    state.accept(reply(batch(0, 6), batch(6, 2)), true);
    expect([offsets(state.take(4)), state.isAtLimit]).toEqual([[0, 1, 2, 3], true]);
    expect([state.take(4), state.position]).toEqual([undefined, 4]);
    state.clearLimit();
    expect(state.fetchOffset).toBe(4);
  });
});

describe('cursor', () => {
  it('serves partitions by turns, and gives the rest of a batch that was begun', () => {
    const states = [0, 1].map((partition) => new PartitionState('t', partition, { offset: 0 }));
    for (const state of states) state.accept(reply(batch(0, 2), batch(2, 2)), true);
    const cursor = new Cursor(states, 500, () => {});
    expect(cursor.takeRecord()).toMatchObject({ partition: 0, offset: 0 });
    expect(cursor.positionOf(states[0] as PartitionState)).toBe(1);
    expect(cursor.takeBatch()).toMatchObject({ partition: 0, records: [{ offset: 1 }] });
    expect(cursor.takeBatch()).toMatchObject({ partition: 1, records: [{ offset: 0 }, { offset: 1 }] });
    expect(cursor.takeBatch()).toMatchObject({ partition: 0, records: [{ offset: 2 }, { offset: 3 }] });
  });

  it('gives with records the high watermark of the reply that brought them', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept({ ...reply(batch(0, 2)), highWatermark: 2 }, true);
    state.accept({ ...reply(batch(2, 2)), highWatermark: 7 }, true);
    const cursor = new Cursor([state], 500, () => {});
    expect([cursor.takeBatch()?.highWatermark, cursor.takeBatch()?.highWatermark]).toEqual([2, 7]);
  });

  it('reads a batch to its end before it begins another, so that one is open at most', () => {
    const states = [0, 1].map((partition) => new PartitionState('t', partition, { offset: 0 }));
    for (const state of states) state.accept(reply(batch(0, 5)), true);
    let taken = 0;
    const cursor = new Cursor(states, 2, () => taken++);
    const seen: unknown[] = [];
    for (let one = cursor.takeBatch(); one !== undefined; one = cursor.takeBatch()) {
      seen.push([one.partition, one.records.map(({ offset }) => offset)]);
      expect(states.filter(({ isReading }) => isReading).length).toBeLessThanOrEqual(1);
    }
    expect(seen).toEqual([0, 1].flatMap((id) => [[0, 1], [2, 3], [4]].map((offsets) => [id, offsets])));
    expect(taken).toBe(2);
  });

  it('closes the batch it had begun of a partition that is paused, and goes on in it later', () => {
    const states = [0, 1].map((partition) => new PartitionState('t', partition, { offset: 0 }));
    for (const state of states) state.accept(reply(batch(0, 5)), true);
    const [first, second] = states as [PartitionState, PartitionState];
    const cursor = new Cursor(states, 2, () => {});
    cursor.takeBatch();
    cursor.takeRecord();
    first.paused = true;
    expect(cursor.takeRecord()).toMatchObject({ partition: 1, offset: 0 });
    expect([first.isReading, second.isReading, cursor.positionOf(first)]).toEqual([false, true, 3]);
    first.paused = false;
    second.paused = true;
    expect(cursor.takeBatch()).toMatchObject({ partition: 0, records: [{ offset: 3 }, { offset: 4 }] });
    expect(cursor.positionOf(second)).toBe(1);
  });

  it('loses nothing of what was begun when an answer is given up', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(batch(0, 3)), true);
    const cursor = new Cursor([state], 500, () => {});
    cursor.takeRecord();
    state.giveUp();
    expect(cursor.positionOf(state)).toBe(1);
    expect(cursor.takeBatch()).toMatchObject({ records: [{ offset: 1 }, { offset: 2 }] });
  });

  it('puts back what it had begun of a partition that is paused', () => {
    const state = new PartitionState('t', 0, { offset: 0 });
    state.accept(reply(batch(0, 3)), true);
    const cursor = new Cursor([state], 500, () => {});
    cursor.takeRecord();
    state.paused = true;
    expect(cursor.takeRecord()).toBeUndefined();
    expect([state.position, state.fetchOffset]).toEqual([1, 1]);
  });
});

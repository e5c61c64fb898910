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

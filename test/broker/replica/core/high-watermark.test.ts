import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideHighWatermark } from '../../../../src/broker/replica/core/high-watermark.ts';
import { committed, pendingExpand, pendingShrink } from '../../../../src/broker/replica/core/isr.ts';
import { brokers, leader, report } from './fixture.ts';

const all = brokers();
const local = (endOffset: number, ackedOffset = endOffset, highWatermark = 0) => ({
  endOffset,
  ackedOffset,
  highWatermark,
});

describe('the high watermark of a leader', () => {
  it('is the smallest flushed offset of the in-sync set', () => {
    const state = leader();
    state.observeFollower(2, report(2, 20, 12), 20, 0);
    state.observeFollower(3, report(3, 20, 15), 20, 0);
    expect(decideHighWatermark(state, local(20, 18), all, 0)).toBe(12);
  });

  it('never counts what is in the memory of a follower alone, with cached writes neither', () => {
    const state = leader({}, { writeCaching: true });
    state.observeFollower(2, report(2, 20, 12), 20, 0);
    state.observeFollower(3, report(3, 19, 19), 20, 0);
    expect(decideHighWatermark(state, local(20), all, 0)).toBe(12);
  });

  it('never passes what the leader itself has flushed', () => {
    const state = leader({ isr: [1], replicas: [1] });
    expect(decideHighWatermark(state, local(20, 7), all, 0)).toBe(7);
  });

  it('stays while an in-sync member has not been heard of in this epoch', () => {
    const state = leader();
    state.observeFollower(2, report(2, 20), 20, 0);
    expect(decideHighWatermark(state, local(20), all, 0)).toBeUndefined();
  });

  it('never falls', () => {
    const state = leader({ isr: [1, 2], replicas: [1, 2] });
    state.observeFollower(2, report(2, 8), 20, 0);
    expect(decideHighWatermark(state, local(20, 20, 10), all, 0)).toBeUndefined();
  });

  it('stays while the in-sync set is below min.insync.replicas', () => {
    const state = leader({ isr: [1], replicas: [1, 2] }, { minIsr: 2 });
    state.observeFollower(2, report(2, 20), 20, 0);
    expect(decideHighWatermark(state, local(20), all, 0)).toBeUndefined();
  });

  it('needs no more in-sync replicas than there are replicas', () => {
    const state = leader({ isr: [1], replicas: [1] }, { minIsr: 2 });
    expect(decideHighWatermark(state, local(20), all, 0)).toBe(20);
  });

  it('counts a member whose expansion is pending', () => {
    const state = leader({ isr: [1, 2] }, {}, 0, -1e9);
    state.observeFollower(2, report(2, 20), 20, 0);
    state.observeFollower(3, report(3, 9), 20, 0);
    expect(decideHighWatermark(state, local(20), all, 0)).toBe(20);
    state.isr = pendingExpand([1, 2], 3);
    expect(decideHighWatermark(state, local(20), all, 0)).toBe(9);
  });

  it('still counts a member whose removal is pending, until the controller has committed it', () => {
    const state = leader({ isr: [1, 2], replicas: [1, 2] }, {}, 0, 0);
    state.observeFollower(2, report(2, 9), 20, 0);
    state.isr = pendingShrink([1, 2], [2]);
    expect(decideHighWatermark(state, local(20), all, 50_000)).toBe(9);
    state.isr = committed([1]);
    expect(decideHighWatermark(state, local(20), all, 50_000)).toBe(20);
  });

  it('waits for a caught-up replica that may join, so that it need not chase it', () => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(2, report(2, 20), 20, 0);
    state.observeFollower(3, report(3, 20), 20, 0);
    state.noteAppend(20, 25, 0);
    state.observeFollower(2, report(2, 25), 25, 0);
    expect(decideHighWatermark(state, local(25), all, 0)).toBe(20);
  });

  it.each([
    ['fenced', { fenced: true }],
    ['shutting down', { inControlledShutdown: true }],
    ['restarted', { epoch: 999 }],
    ['unregistered', undefined],
  ])('does not wait for a caught-up replica outside the in-sync set that is %s', (_, broker) => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(2, report(2, 25), 25, 0);
    state.observeFollower(3, report(3, 20), 20, 0);
    expect(decideHighWatermark(state, local(25), brokers({ 3: broker }), 0)).toBe(25);
  });

  it('is at most the flushed offset of every member of the maximal in-sync set, whatever happens', () => {
    const offset = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(offset, offset, offset, offset, fc.constantFrom(0, 1, 2), (own, two, three, hw, kind) => {
        const state = leader({ isr: [1, 2] });
        state.observeFollower(2, report(2, two), 50, 0);
        state.observeFollower(3, report(3, three), 50, 0);
        if (kind === 1) state.isr = pendingExpand([1, 2], 3);
        if (kind === 2) state.isr = pendingShrink([1, 2], [2]);
        const next = decideHighWatermark(state, local(50, own, hw), all, 99_999);
        if (next === undefined) return;
        expect(next).toBeGreaterThan(hw);
        const acked = new Map([
          [1, own],
          [2, two],
          [3, three],
        ]);
        for (const id of state.isr.maximal) expect(next).toBeLessThanOrEqual(acked.get(id) ?? -1);
      }),
    );
  });
});

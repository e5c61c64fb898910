import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/base/index.ts';
import { committed, pendingExpand, pendingShrink } from '../../../../src/broker/replica/core/isr.ts';
import {
  decideExpand,
  decideShrink,
  replayAlterReply,
  toAlterPartition,
} from '../../../../src/broker/replica/core/isr-change.ts';
import { assignment, brokers, leader, report } from './fixture.ts';

const all = brokers();
const logAt = (highWatermark: number, logStartOffset = 0) => ({ highWatermark, logStartOffset });

describe('joining the in-sync set', () => {
  it('takes everything below the high watermark, durably', () => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(3, report(3, 20, 9), 20, 0);
    expect(decideExpand(state, 3, logAt(10), all)).toBeUndefined();
    state.observeFollower(3, report(3, 20, 10), 20, 0);
    expect(decideExpand(state, 3, logAt(10), all)).toEqual(pendingExpand([1, 2], 3));
  });

  it('takes everything an earlier leader may have committed', () => {
    const state = leader({ isr: [1, 2] }, {}, 15);
    state.observeFollower(3, report(3, 14), 20, 0);
    expect(decideExpand(state, 3, logAt(10), all)).toBeUndefined();
    state.observeFollower(3, report(3, 15), 20, 0);
    expect(decideExpand(state, 3, logAt(10), all)).toBeDefined();
  });

  it('takes the log start of the leader: records that were deleted must not come back with the next one', () => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(3, report(3, 20), 20, 0);
    expect(decideExpand(state, 3, logAt(10, 4), all)).toBeUndefined();
    state.observeFollower(3, { ...report(3, 20), logStartOffset: 4 }, 20, 0);
    expect(decideExpand(state, 3, logAt(10, 4), all)).toBeDefined();
  });

  it.each([
    ['fenced', { fenced: true }],
    ['shutting down', { inControlledShutdown: true }],
    ['another incarnation than the one that fetched', { epoch: 999 }],
    ['unregistered', undefined],
  ])('is not for a broker that is %s', (_, broker) => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(3, report(3, 20), 20, 0);
    expect(decideExpand(state, 3, logAt(10), brokers({ 3: broker }))).toBeUndefined();
  });

  it('waits while another change is pending, and is not for members or strangers', () => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(2, report(2, 20), 20, 0);
    state.observeFollower(3, report(3, 20), 20, 0);
    expect(decideExpand(state, 2, logAt(10), all)).toBeUndefined();
    expect(decideExpand(state, 9, logAt(10), all)).toBeUndefined();
    state.beginIsrChange(pendingShrink([1, 2], [2]));
    expect(decideExpand(state, 3, logAt(10), all)).toBeUndefined();
  });

  it('never happens on the word of a replica that has not fetched', () => {
    const state = leader({ isr: [1, 2] });
    expect(decideExpand(state, 3, logAt(0), all)).toBeUndefined();
  });
});

describe('leaving the in-sync set', () => {
  it('is for members behind for longer than replica.lag.time.max.ms', () => {
    const state = leader();
    state.observeFollower(2, report(2, 20), 20, 5_000);
    state.observeFollower(3, report(3, 19), 20, 5_000);
    expect(decideShrink(state, 20, 10_000)).toBeUndefined();
    expect(decideShrink(state, 20, 10_001)).toEqual(pendingShrink([1, 2, 3], [3]));
  });

  it('is not for a silent member of an idle partition', () => {
    const state = leader();
    for (const id of [2, 3]) state.observeFollower(id, report(id, 20), 20, 0);
    expect(decideShrink(state, 20, 1e9)).toBeUndefined();
  });

  it('gives a member its full time after a long silence ends with an append', () => {
    const state = leader();
    for (const id of [2, 3]) state.observeFollower(id, report(id, 20), 20, 0);
    state.noteAppend(20, 21, 1e6);
    expect(decideShrink(state, 21, 1e6 + 10_000)).toBeUndefined();
    expect(decideShrink(state, 21, 1e6 + 10_001)).toBeDefined();
  });

  it('is for a member that takes records but does not sync them', () => {
    const state = leader();
    state.observeFollower(2, report(2, 20, 20), 20, 11_000);
    state.observeFollower(3, report(3, 20, 4), 20, 11_000);
    expect(decideShrink(state, 20, 11_000)).toEqual(pendingShrink([1, 2, 3], [3]));
  });

  it('is not for one whose acknowledgements trail the end by a little all the time', () => {
    const state = leader();
    let end = 0;
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 100) {
      const before = end;
      end += 10;
      state.noteAppend(before, end, nowMs);
      for (const id of [2, 3]) state.observeFollower(id, report(id, end, Math.max(0, end - 15)), end, nowMs);
      expect(decideShrink(state, end, nowMs)).toBeUndefined();
    }
  });

  it('is for one that falls behind by more than the time, though it fetches all the time', () => {
    const state = leader();
    let end = 0;
    let shrunkAtMs = -1;
    for (let nowMs = 0; nowMs <= 60_000 && shrunkAtMs < 0; nowMs += 100) {
      end += 10;
      state.observeFollower(2, report(2, end), end, nowMs);
      state.observeFollower(3, report(3, Math.floor(end / 2)), end, nowMs);
      if (decideShrink(state, end, nowMs) !== undefined) shrunkAtMs = nowMs;
    }
    // At half the speed the lag reaches 10 s after 20 s.
    expect(shrunkAtMs).toBeGreaterThanOrEqual(10_000);
    expect(shrunkAtMs).toBeLessThanOrEqual(40_000);
  });
});

describe('the request for a change', () => {
  it('carries the epochs it is based on and the incarnation that each member fetched with', () => {
    const state = leader({ isr: [1, 2] });
    state.observeFollower(3, report(3, 20), 20, 0);
    state.beginIsrChange(pendingExpand([1, 2], 3));
    expect(toAlterPartition(state, { topicId: 'T', partition: 4 }, 77)).toEqual({
      topicId: 'T',
      partition: 4,
      leaderEpoch: 5,
      partitionEpoch: 10,
      newIsr: [
        { brokerId: 1, brokerEpoch: 77 },
        { brokerId: 2, brokerEpoch: -1 },
        { brokerId: 3, brokerEpoch: 103 },
      ],
      leaderRecoveryState: 'recovered',
    });
  });
});

describe("the controller's answer", () => {
  const pending = () => {
    const state = leader({ isr: [1, 2] });
    const sent = pendingExpand([1, 2], 3);
    state.beginIsrChange(sent);
    return { state, sent };
  };
  const reply = (error: ErrorCode, overrides = {}) => ({
    error,
    topicId: 'T',
    partition: 0,
    leaderId: 1,
    leaderEpoch: 5,
    partitionEpoch: 11,
    isr: [1, 2, 3],
    leaderRecoveryState: 'recovered' as const,
    ...overrides,
  });

  it('commits the set it names and the new partition epoch', () => {
    const { state, sent } = pending();
    expect(replayAlterReply(state, sent, reply('NONE'))).toBe('committed');
    expect(state.isr).toEqual(committed([1, 2, 3]));
    expect(state.partitionEpoch).toBe(11);
  });

  it('is accepted with an unchanged partition epoch: the change was a no-op', () => {
    const { state, sent } = pending();
    expect(replayAlterReply(state, sent, reply('NONE', { partitionEpoch: 10 }))).toBe('committed');
  });

  it.each([
    ['another leader epoch', { leaderEpoch: 6 }],
    ['an older partition epoch', { partitionEpoch: 9 }],
  ])('is ignored with %s', (_, overrides) => {
    const { state, sent } = pending();
    expect(replayAlterReply(state, sent, reply('NONE', overrides))).toBe('stale');
    expect(state.isr).toBe(sent);
  });

  it('is ignored when metadata has resolved the change first', () => {
    const { state, sent } = pending();
    state.makeLeader(assignment({ isr: [1, 2, 3], partitionEpoch: 11 }), 0, 0);
    expect(replayAlterReply(state, sent, reply('INELIGIBLE_REPLICA'))).toBe('stale');
    expect(state.isr).toEqual(committed([1, 2, 3]));
  });

  it('reverts when it proves that nothing was applied', () => {
    const { state, sent } = pending();
    expect(replayAlterReply(state, sent, reply('INELIGIBLE_REPLICA'))).toBe('reverted');
    expect(state.isr).toEqual(committed([1, 2]));
  });

  it.each<ErrorCode>([
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'FENCED_LEADER_EPOCH',
    'INVALID_UPDATE_VERSION',
    'INVALID_REQUEST',
    'NEW_LEADER_ELECTED',
  ])('leaves the change pending on %s: metadata will tell', (error) => {
    const { state, sent } = pending();
    expect(replayAlterReply(state, sent, reply(error))).toBe('waiting');
    expect(state.isr).toBe(sent);
  });

  it.each<ErrorCode>(['NOT_CONTROLLER', 'REQUEST_TIMED_OUT', 'UNKNOWN_SERVER_ERROR', 'NETWORK_EXCEPTION'])(
    'leaves the change pending on %s and asks again: it may have been applied',
    (error) => {
      const { state, sent } = pending();
      expect(replayAlterReply(state, sent, reply(error))).toBe('retry');
      expect(state.isr).toBe(sent);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { committed, pendingExpand } from '../../../../src/broker/replica/core/isr.ts';
import { PartitionState } from '../../../../src/broker/replica/core/partition-state.ts';
import { assignment, leader, POLICY, report } from './fixture.ts';

describe('becoming leader', () => {
  it('starts an epoch at the log end, knowing nothing of the others', () => {
    const state = leader({}, {}, 42);
    expect(state.epochStartOffset).toBe(42);
    expect([...state.followers.keys()]).toEqual([2, 3]);
    expect(state.followers.get(2)?.endOffset).toBe(-1);
  });

  it('forgets the progress of followers also when re-elected: they may have truncated in between', () => {
    const state = leader();
    state.observeFollower(2, report(2, 20), 20, 0);
    expect(state.makeLeader(assignment({ leaderEpoch: 7, partitionEpoch: 12 }), 20, 0)).toBe('new-epoch');
    expect(state.followers.get(2)?.flushedOffset).toBe(-1);
    expect(state.epochStartOffset).toBe(20);
  });

  it('keeps progress and epoch start within an epoch', () => {
    const state = leader({}, {}, 5);
    state.observeFollower(2, report(2, 20), 20, 0);
    const next = assignment({ isr: [1, 2], partitionEpoch: 11 });
    expect(state.makeLeader(next, 20, 0)).toBe('same-epoch');
    expect(state.epochStartOffset).toBe(5);
    expect(state.followers.get(2)?.flushedOffset).toBe(20);
    expect(state.isr).toEqual(committed([1, 2]));
  });

  it('skips metadata older than what is known', () => {
    const state = leader();
    expect(state.makeLeader(assignment({ isr: [1], partitionEpoch: 9 }), 0, 0)).toBe('stale');
    expect(state.isr).toEqual(committed([1, 2, 3]));
  });

  it('drops a pending change when newer metadata comes, and keeps it when the same comes again', () => {
    const state = leader({ isr: [1, 2] });
    const pending = pendingExpand([1, 2], 3);
    state.beginIsrChange(pending);
    state.makeLeader(assignment({ isr: [1, 2] }), 0, 0);
    expect(state.isr).toBe(pending);
    state.makeLeader(assignment({ isr: [1], partitionEpoch: 11 }), 0, 0);
    expect(state.isr).toEqual(committed([1]));
  });

  it('follows the assignment: new replicas are unknown, removed ones are forgotten', () => {
    const state = leader();
    state.observeFollower(3, report(3, 20), 20, 0);
    state.makeLeader(assignment({ replicas: [1, 3, 4], isr: [1, 3], partitionEpoch: 11 }), 20, 0);
    expect([...state.followers.keys()].sort()).toEqual([3, 4]);
    expect(state.followers.get(3)?.endOffset).toBe(20);
    expect(state.followers.get(4)?.endOffset).toBe(-1);
  });

  it('is a bug twice in one epoch', () => {
    const state = new PartitionState(1, POLICY);
    state.makeFollower(assignment({ leader: 2 }));
    expect(() => state.makeLeader(assignment({ partitionEpoch: 11 }), 0, 0)).toThrow('one leader');
  });
});

describe('becoming follower', () => {
  it('drops what only a leader knows', () => {
    const state = leader();
    expect(state.makeFollower(assignment({ leader: 2, leaderEpoch: 6, partitionEpoch: 11 }))).toBe(
      'new-epoch',
    );
    expect(state.isLeader).toBe(false);
    expect(state.followers.size).toBe(0);
  });

  it('happens also when there is no leader at all', () => {
    const state = leader();
    state.makeFollower(assignment({ leader: -1, leaderEpoch: 6, partitionEpoch: 11 }));
    expect(state.isLeader).toBe(false);
    expect(state.leaderId).toBe(-1);
  });

  it('skips metadata older than what is known', () => {
    const state = leader();
    expect(state.makeFollower(assignment({ leader: 2, leaderEpoch: 4, partitionEpoch: 9 }))).toBe('stale');
    expect(state.isLeader).toBe(true);
  });

  it('is no new epoch when only the in-sync set changed', () => {
    const state = new PartitionState(3, POLICY);
    expect(state.makeFollower(assignment())).toBe('new-epoch');
    expect(state.makeFollower(assignment({ isr: [1, 3], partitionEpoch: 11 }))).toBe('same-epoch');
  });
});

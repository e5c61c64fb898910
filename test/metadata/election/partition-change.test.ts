import { describe, expect, it } from 'vitest';
import {
  buildPartitionChange,
  type ElectionMode,
  elect,
  type WantedPartition,
} from '../../../src/metadata/election/index.ts';
import type { PartitionRegistration } from '../../../src/metadata/index.ts';

const elected = (
  replicas: number[],
  targetIsr: number[],
  currentLeader: number,
  alive: number[],
  mode: ElectionMode,
) => elect({ replicas, targetIsr, currentLeader, isAcceptable: (id) => alive.includes(id) }, mode);

describe('an election', () => {
  it.each<[string, number[], number, number[], ElectionMode, number, boolean]>([
    ['online keeps a valid leader', [1, 2, 3], 2, [1, 2, 3], 'online', 2, false],
    ['online takes the first valid replica in order', [3, 2], 1, [1, 2, 3], 'online', 2, false],
    ['online skips the in-sync dead', [1, 2, 3], 1, [3], 'online', 3, false],
    ['online never takes a replica out of sync', [1], 1, [2, 3], 'online', -1, false],
    ['unclean prefers a clean winner', [1, 3], 1, [2, 3], 'unclean', 3, false],
    ['unclean takes the first living replica at last', [1], 1, [2, 3], 'unclean', 2, true],
    ['unclean without anybody alive elects nobody', [1], 1, [], 'unclean', -1, false],
    ['preferred takes the first replica back', [1, 2, 3], 2, [1, 2, 3], 'preferred', 1, false],
    ['preferred leaves it when the first is not in sync', [2, 3], 2, [1, 2, 3], 'preferred', 2, false],
    ['preferred goes on as online', [3], 2, [3], 'preferred', 3, false],
  ])('%s', (_, isr, leader, alive, mode, winner, unclean) => {
    expect(elected([1, 2, 3], isr, leader, alive, mode)).toEqual({ leader: winner, unclean });
  });
});

const partition: PartitionRegistration = {
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  addingReplicas: [],
  removingReplicas: [],
  directories: [],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  leaderRecoveryState: 'recovered',
};

function change(
  alive: number[],
  wanted: Partial<WantedPartition> = {},
  from: Partial<PartitionRegistration> = {},
) {
  const record = buildPartitionChange({
    topicId: 't',
    partitionId: 0,
    partition: { ...partition, ...from },
    isAcceptable: (id) => alive.includes(id),
    mode: 'online',
    ...wanted,
  });
  if (record === undefined) return undefined;
  const { kind: _, topicId: _t, partitionId: _p, ...rest } = record;
  return rest;
}

describe('the change of a partition', () => {
  it('is nothing when nothing differs, whatever the order of the in-sync set', () => {
    expect(change([1, 2, 3])).toBeUndefined();
    expect(change([1, 2, 3], { targetIsr: [3, 1, 2] })).toBeUndefined();
  });

  it('of the in-sync set alone names no leader, so the leader epoch stays', () => {
    expect(change([1, 2, 3], { targetIsr: [1, 2] })).toEqual({ isr: [1, 2] });
    expect(change([1, 2, 3], { targetIsr: [1, 2, 3] }, { isr: [1] })).toEqual({ isr: [1, 2, 3] });
  });

  it('moves the leader with the in-sync set it leaves', () => {
    expect(change([2, 3], { targetIsr: [2, 3] })).toEqual({ isr: [2, 3], leader: 2 });
  });

  it('never removes the last in-sync member: nobody leads, and the epoch rises', () => {
    expect(change([2, 3], { targetIsr: [] }, { isr: [1] })).toEqual({ leader: -1 });
    expect(change([2, 3], { targetIsr: [] }, { isr: [1], leader: -1 })).toBeUndefined();
  });

  it('elects only the last in-sync member when brokers return', () => {
    const offline = { isr: [1], leader: -1 };
    expect(change([2, 3], {}, offline)).toBeUndefined();
    expect(change([1, 2, 3], {}, offline)).toEqual({ leader: 1 });
  });

  it('makes an unclean winner the only in-sync member, recovering', () => {
    const offline = { isr: [1], leader: -1 };
    expect(change([3], { mode: 'unclean' }, offline)).toEqual({
      isr: [3],
      leader: 3,
      leaderRecoveryState: 'recovering',
    });
    expect(change([3], { mode: 'unclean', targetIsr: [] }, { isr: [1] })).toEqual({
      isr: [3],
      leader: 3,
      leaderRecoveryState: 'recovering',
    });
  });

  it('records that a leader has recovered', () => {
    const recovering = { isr: [1], leaderRecoveryState: 'recovering' } as const;
    expect(change([1], { targetRecoveryState: 'recovered' }, recovering)).toEqual({
      leaderRecoveryState: 'recovered',
    });
  });
});

import { describe, expect, it } from 'vitest';
import { decideAllocateProducerIds, decideAlterPartition } from '../../../src/metadata/controller/index.ts';
import type { AlterPartition } from '../../../src/rpc/api/index.ts';
import { ControllerFixture, id, topicRequest } from './fixture.ts';

/** Brokers 1, 2, 3 hold lines-0, led by 1, all in sync; epochs are above 0, so that they can be too small. */
function cluster() {
  const f = new ControllerFixture().start(1, 2, 3, 4);
  f.create(topicRequest('lines', { assignments: [[1, 2, 3]] }));
  f.fence(1);
  f.fence(2);
  f.heartbeat(1);
  f.heartbeat(2);
  f.alterPartition('lines', [3, 1, 2]);
  f.fence(3);
  f.heartbeat(3);
  f.alterPartition('lines', [1, 2, 3]);
  expect(f.partition('lines')).toMatchObject({ isr: [1, 2, 3], leader: 1, leaderEpoch: 3 });
  return f;
}

describe('a change of the in-sync set by the leader', () => {
  it('shrinks and grows the set without touching the leader epoch', () => {
    const f = cluster();
    const { leaderEpoch, partitionEpoch } = f.partition('lines');
    const after = { leaderId: 1, leaderEpoch, leaderRecoveryState: 'recovered', error: 'NONE' };
    expect(f.alterPartition('lines', [1, 2])).toMatchObject({
      ...after,
      isr: [1, 2],
      partitionEpoch: partitionEpoch + 1,
    });
    expect(f.alterPartition('lines', [1, 2, 3])).toMatchObject({
      ...after,
      isr: [1, 2, 3],
      partitionEpoch: partitionEpoch + 2,
    });
  });

  it('to what it is already succeeds, with the same epochs and no record', () => {
    const f = cluster();
    const before = f.partition('lines');
    expect(f.alterPartition('lines', [3, 2, 1])).toMatchObject({
      error: 'NONE',
      partitionEpoch: before.partitionEpoch,
      isr: before.isr,
    });
    expect(f.records).toEqual([]);
  });

  it('from a broker with another epoch refuses the whole request', () => {
    const f = cluster();
    const request = { brokerId: 1, brokerEpoch: 999, partitions: [] };
    expect(f.refusal((image, context) => decideAlterPartition(image, request, context))).toBe(
      'STALE_BROKER_EPOCH',
    );
  });

  const epochs = (f: ControllerFixture) => f.partition('lines');
  const member = (brokerId: number, brokerEpoch = -1) => ({ brokerId, brokerEpoch });
  it.each<[string, (f: ControllerFixture) => Partial<AlterPartition> & { from?: number }, number[], string]>([
    ['an unknown topic id', () => ({ topicId: id(9) }), [1], 'UNKNOWN_TOPIC_ID'],
    ['an unknown partition', () => ({ partition: 7 }), [1], 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a newer leader epoch', (f) => ({ leaderEpoch: epochs(f).leaderEpoch + 1 }), [1], 'NOT_CONTROLLER'],
    [
      'a newer partition epoch',
      (f) => ({ partitionEpoch: epochs(f).partitionEpoch + 1 }),
      [1],
      'NOT_CONTROLLER',
    ],
    [
      'an older leader epoch',
      (f) => ({ leaderEpoch: epochs(f).leaderEpoch - 1 }),
      [1],
      'FENCED_LEADER_EPOCH',
    ],
    [
      'an older leader epoch, before the older partition epoch',
      (f) => ({ leaderEpoch: epochs(f).leaderEpoch - 1, partitionEpoch: 0 }),
      [1],
      'FENCED_LEADER_EPOCH',
    ],
    ['another broker than the leader', () => ({ from: 2 }), [1, 2], 'INVALID_REQUEST'],
    [
      'an older partition epoch',
      (f) => ({ partitionEpoch: epochs(f).partitionEpoch - 1 }),
      [1],
      'INVALID_UPDATE_VERSION',
    ],
    ['no member', () => ({}), [], 'INVALID_REQUEST'],
    ['a member twice', () => ({}), [1, 2, 2], 'INVALID_REQUEST'],
    ['a member that is no replica', () => ({}), [1, 4], 'INVALID_REQUEST'],
    ['all but the leader', () => ({}), [2, 3], 'INVALID_REQUEST'],
    [
      'a recovering leader with others',
      () => ({ leaderRecoveryState: 'recovering' }),
      [1, 2],
      'INVALID_REQUEST',
    ],
    ['a recovered leader recovering', () => ({ leaderRecoveryState: 'recovering' }), [1], 'INVALID_REQUEST'],
    [
      'a member of another incarnation',
      () => ({ newIsr: [member(1), member(2, 999)] }),
      [],
      'INELIGIBLE_REPLICA',
    ],
  ])('with %s is refused', (_, changes, isr, error) => {
    const f = cluster();
    const before = f.partition('lines');
    expect(f.alterPartition('lines', isr, changes(f)).error).toBe(error);
    expect(f.partition('lines')).toBe(before);
  });

  it('does not check the incarnation of a member of which none is known', () => {
    const f = cluster();
    expect(f.alterPartition('lines', [], { newIsr: [member(1), member(2)] }).error).toBe('NONE');
  });

  it('with a member that is fenced, shutting down or gone is refused, also an old member', () => {
    const f = cluster();
    f.alterPartition('lines', [1, 2]);
    f.fence(3);
    expect(f.alterPartition('lines', [1, 2, 3])).toMatchObject({
      error: 'INELIGIBLE_REPLICA',
      errorMessage: 'broker 3 is fenced',
    });
    f.create(topicRequest('kept', { assignments: [[2]] }));
    f.heartbeat(2, { wantShutdown: true });
    expect(f.alterPartition('lines', [1, 2]).errorMessage).toBe('broker 2 is shutting down');
    expect(f.partition('lines').isr).toEqual([1]);
  });

  it('tells that an uncleanly elected leader has recovered, and only then lets others in', () => {
    const f = new ControllerFixture().start(1, 2);
    const configs = { 'unclean.leader.election.enable': 'true' };
    f.create(topicRequest('lossy', { assignments: [[1, 2]], configs }));
    f.fence(2);
    f.heartbeat(2);
    f.fence(1);
    f.heartbeat(1);
    expect(f.partition('lossy')).toMatchObject({ leader: 2, isr: [2], leaderRecoveryState: 'recovering' });
    const recovering = { leaderRecoveryState: 'recovering' } as const;
    expect(f.alterPartition('lossy', [2, 1], recovering).error).toBe('INVALID_REQUEST');
    expect(f.alterPartition('lossy', [2])).toMatchObject({ error: 'NONE', leaderRecoveryState: 'recovered' });
    expect(f.alterPartition('lossy', [2, 1])).toMatchObject({ error: 'NONE', isr: [2, 1] });
  });

  it('passes or fails each partition of a request alone', () => {
    const f = cluster();
    f.create(topicRequest('other', { assignments: [[1, 2]] }));
    const wanted = (topic: string, leaderEpoch: number): AlterPartition => ({
      topicId: f.image.topics.find(topic)?.id ?? '',
      partition: 0,
      leaderEpoch,
      partitionEpoch: f.partition(topic).partitionEpoch,
      newIsr: [member(1)],
      leaderRecoveryState: 'recovered',
    });
    const partitions = [wanted('other', 5), wanted('lines', f.partition('lines').leaderEpoch)];
    const request = { brokerId: 1, brokerEpoch: f.epochOf(1), partitions };
    const reply = f.run((image, context) => decideAlterPartition(image, request, context));
    expect(reply.partitions.map(({ error }) => error)).toEqual(['NOT_CONTROLLER', 'NONE']);
  });
});

describe('producer ids', () => {
  it('are given in blocks of a thousand, no id twice', () => {
    const f = new ControllerFixture().start(1, 2);
    const allocate = (brokerId: number) =>
      f.run((image) => decideAllocateProducerIds(image, { brokerId, brokerEpoch: f.epochOf(brokerId) }));
    expect(allocate(1)).toEqual({ firstProducerId: 0, count: 1000 });
    expect(allocate(2)).toEqual({ firstProducerId: 1000, count: 1000 });
    expect(allocate(1)).toEqual({ firstProducerId: 2000, count: 1000 });
  });

  it('are refused to a broker with another epoch', () => {
    const f = new ControllerFixture().start(1);
    const request = { brokerId: 1, brokerEpoch: 9 };
    expect(f.refusal((image) => decideAllocateProducerIds(image, request))).toBe('STALE_BROKER_EPOCH');
  });
});

import { describe, expect, it } from 'vitest';
import { decideAssignDirectories } from '../../../src/metadata/controller/index.ts';
import { LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '../../../src/metadata/index.ts';
import { ControllerFixture, id, topicRequest } from './fixture.ts';

const [A, B] = [id(1, 2), id(1, 3)];

/** Broker 1 has directories A and B, 2 and 3 have one each; lines-0 is on all three, in sync, led by 1. */
function cluster(configs: Record<string, string> = {}) {
  const f = new ControllerFixture();
  f.register(1, { logDirs: [A, B] });
  f.heartbeat(1);
  f.start(2, 3);
  f.create(
    topicRequest('lines', {
      assignments: [
        [1, 2, 3],
        [1, 2, 3],
      ],
      configs,
    }),
  );
  f.assign(1, A);
  f.assign(1, B, 'lines', 1);
  return f;
}

describe('a broker with several directories', () => {
  it('says later where its new replicas live; one with one directory has said it with its registration', () => {
    const f = new ControllerFixture();
    f.register(1, { logDirs: [A, B] });
    f.heartbeat(1);
    f.start(2);
    f.create(topicRequest('lines', { assignments: [[1, 2]] }));
    expect(f.partition('lines').directories).toEqual([UNASSIGNED_DIRECTORY, id(2, 2)]);
    expect(f.assign(1, B)).toMatchObject({ error: 'NONE' });
    expect(f.partition('lines')).toMatchObject({ directories: [B, id(2, 2)], leader: 1, leaderEpoch: 0 });
  });

  it('that says again what is known causes no record', () => {
    const f = cluster();
    f.assign(1, A);
    expect(f.records).toEqual([]);
  });

  it.each([
    ['an unknown topic', (f: ControllerFixture) => f.assign(1, A, 'none'), 'UNKNOWN_TOPIC_ID'],
    [
      'an unknown partition',
      (f: ControllerFixture) => f.assign(1, A, 'lines', 9),
      'UNKNOWN_TOPIC_OR_PARTITION',
    ],
    ['no directory', (f: ControllerFixture) => f.assign(1, UNASSIGNED_DIRECTORY), 'INVALID_REQUEST'],
    [
      'a partition of others',
      (f: ControllerFixture) => f.start(4).assign(4, id(4, 2)),
      'NOT_LEADER_OR_FOLLOWER',
    ],
  ])('is refused for %s alone', (_, assign, error) => {
    expect(assign(cluster())).toMatchObject({ error });
  });

  it('of another incarnation is refused as a whole', () => {
    const f = cluster();
    const request = { brokerId: 1, brokerEpoch: 999, replicas: [] };
    expect(f.refusal((image, context) => decideAssignDirectories(image, request, context))).toBe(
      'STALE_BROKER_EPOCH',
    );
  });

  it('may not register a reserved id as a directory', () => {
    const f = new ControllerFixture();
    expect(() => f.register(1, { logDirs: [LOST_DIRECTORY] })).toThrow(/no id of a log directory/);
  });
});

describe('a directory that fails', () => {
  it('takes its replicas out of the in-sync sets and moves their leaders, with one epoch, and no other', () => {
    const f = cluster();
    const [before, other] = [f.partition('lines'), f.partition('lines', 1)];
    expect(f.heartbeat(1, { offlineLogDirs: [A] }).lostDirectories).toEqual([A]);
    expect(f.partition('lines')).toMatchObject({
      isr: [2, 3],
      leader: 2,
      leaderEpoch: before.leaderEpoch + 1,
      partitionEpoch: before.partitionEpoch + 1,
      directories: before.directories,
    });
    expect(f.partition('lines', 1)).toBe(other);
    expect(f.image.cluster.brokers.get(1)).toMatchObject({ logDirs: [B], fenced: false });
  });

  it('told again causes no record', () => {
    const f = cluster();
    f.heartbeat(1, { offlineLogDirs: [A] });
    f.heartbeat(1, { offlineLogDirs: [A] });
    expect(f.records).toEqual([]);
  });

  it('leaves the last in-sync member in the set, without a leader, until the directory is back', () => {
    const f = cluster();
    f.fence(2);
    f.fence(3);
    f.heartbeat(1, { offlineLogDirs: [A] });
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    f.heartbeat(2);
    f.heartbeat(3);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    f.fence(1);
    f.register(1, { logDirs: [A, B], incarnationId: id(7, 7) });
    f.heartbeat(1);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: 1 });
  });

  it('refuses its replicas the way back into the set until it is online again', () => {
    const f = cluster();
    f.heartbeat(1, { offlineLogDirs: [A] });
    expect(f.alterPartition('lines', [2, 3, 1])).toMatchObject({ error: 'INELIGIBLE_REPLICA' });
    f.fence(1);
    f.register(1, { logDirs: [A, B], incarnationId: id(7, 7) });
    f.heartbeat(1);
    expect(f.alterPartition('lines', [2, 3, 1])).toMatchObject({ error: 'NONE' });
  });

  it('is not elected from when its broker is unfenced', () => {
    const f = cluster();
    f.fence(2);
    f.fence(3);
    f.heartbeat(1, { wantFence: true });
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    f.heartbeat(1, { offlineLogDirs: [A] });
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    expect(f.partition('lines', 1)).toMatchObject({ isr: [1], leader: 1 });
  });

  it('that is missing when the same incarnation registers again has failed', () => {
    const f = cluster();
    f.register(1, { logDirs: [B] });
    expect(f.partition('lines')).toMatchObject({ isr: [2, 3], leader: 2 });
    expect(f.partition('lines', 1)).toMatchObject({ isr: [1, 2, 3], leader: 1 });
  });

  it('of a replica that lives there, as its broker only says now, counts as failed', () => {
    const f = cluster();
    f.create(topicRequest('late', { assignments: [[1, 2]] }));
    f.heartbeat(1, { offlineLogDirs: [A] });
    expect(f.partition('late')).toMatchObject({ isr: [1, 2], leader: 1 });
    f.assign(1, A, 'late');
    expect(f.partition('late')).toMatchObject({ isr: [2], leader: 2 });
  });
});

describe('a lost log', () => {
  it('leaves the set like a failed directory, and its leadership moves', () => {
    const f = cluster();
    f.assign(1, LOST_DIRECTORY);
    expect(f.partition('lines')).toMatchObject({
      isr: [2, 3],
      leader: 2,
      directories: [LOST_DIRECTORY, id(2, 2), id(3, 2)],
    });
    expect(f.alterPartition('lines', [1, 2, 3])).toMatchObject({ error: 'INELIGIBLE_REPLICA' });
  });

  it('of the last in-sync member leaves no leader, and the restored log leads again', () => {
    const f = cluster();
    f.fence(2);
    f.fence(3);
    f.assign(1, LOST_DIRECTORY);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    f.heartbeat(2);
    f.heartbeat(3);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    f.assign(1, A);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: 1 });
  });

  it('is replaced uncleanly where the topic allows that', () => {
    const f = cluster({ 'unclean.leader.election.enable': 'true' });
    f.fence(2);
    f.fence(3);
    f.assign(1, LOST_DIRECTORY);
    f.heartbeat(2);
    expect(f.partition('lines')).toMatchObject({ isr: [2], leader: 2, leaderRecoveryState: 'recovering' });
  });

  it('that gets a directory again begins a leader epoch: what the old log reported counts no more', () => {
    const f = cluster();
    f.assign(3, LOST_DIRECTORY);
    const before = f.partition('lines');
    expect(before).toMatchObject({ isr: [1, 2], leader: 1, leaderEpoch: 0 });
    const late = { leaderEpoch: before.leaderEpoch, partitionEpoch: before.partitionEpoch };
    f.assign(3, id(3, 2));
    expect(f.partition('lines')).toMatchObject({ isr: [1, 2], leader: 1, leaderEpoch: 1 });
    expect(f.alterPartition('lines', [1, 2, 3], late)).toMatchObject({ error: 'FENCED_LEADER_EPOCH' });
    expect(f.alterPartition('lines', [1, 2, 3])).toMatchObject({ error: 'NONE' });
  });
});

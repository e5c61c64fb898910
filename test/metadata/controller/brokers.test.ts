import { describe, expect, it } from 'vitest';
import {
  type BrokerSituation,
  type BrokerState,
  decideActivate,
  decideFenceExpired,
  decideHeartbeat,
  decideRegisterBroker,
  decideUnregisterBroker,
  nextBrokerState,
} from '../../../src/metadata/controller/index.ts';
import type { RegisterBrokerRequest } from '../../../src/rpc/api/index.ts';
import { ControllerFixture, id, registerRequest, topicRequest } from './fixture.ts';

const lines = (assignments: number[][]) => topicRequest('lines', { assignments });

describe('the registration of a broker', () => {
  const refused = (f: ControllerFixture, brokerId: number, changes: Partial<RegisterBrokerRequest>) =>
    f.refusal((image, context) => decideRegisterBroker(image, registerRequest(brokerId, changes), context));

  it('gives the offset of its record as broker epoch, and starts it fenced', () => {
    const f = new ControllerFixture();
    expect(f.register(1)).toBe(0);
    expect(f.register(2, { rack: 'a' })).toBe(1);
    expect(f.image.cluster.brokers.get(2)).toMatchObject({ epoch: 1, fenced: true, rack: 'a' });
  });

  it('of another cluster is refused', () => {
    expect(refused(new ControllerFixture(), 1, { clusterId: id(9) })).toBe('INCONSISTENT_CLUSTER_ID');
  });

  it.each<[string, Partial<RegisterBrokerRequest>]>([
    ['no log directory', { logDirs: [] }],
    ['a log directory twice', { logDirs: [id(9), id(9)] }],
    ['the reserved id of a log directory', { logDirs: ['AAAAAAAAAAAAAAAAAAAAAA'] }],
    ["another broker's log directory", { logDirs: [id(2, 2)] }],
    ['a missing listener', { listeners: [{ name: 'client', host: 'h', port: 1 }] }],
    ['a negative id', { brokerId: -1 }],
  ])('with %s is refused', (_, changes) => {
    expect(refused(new ControllerFixture().start(2), 1, changes)).toBe('INVALID_REGISTRATION');
  });

  it('of a broker that cannot work at the finalised level of a feature is refused', () => {
    const f = new ControllerFixture();
    f.apply([{ kind: 'feature-level', name: 'metadata.version', featureLevel: 1 }]);
    expect(f.register(1)).toBe(1);
    expect(refused(f, 2, { features: [{ name: 'metadata.version', min: 2, max: 3 }] })).toBe(
      'UNSUPPORTED_VERSION',
    );
    f.apply([{ kind: 'feature-level', name: 'other', featureLevel: 2 }]);
    expect(refused(f, 2, {})).toBe('UNSUPPORTED_VERSION');
    f.register(2, { features: [{ name: 'other', min: 0, max: 2 }] });
  });

  it('by the same incarnation again keeps its epoch and its state, and takes the new data', () => {
    const f = new ControllerFixture().start(1, 2);
    expect(f.register(1, { rack: 'b' })).toBe(0);
    expect(f.image.cluster.brokers.get(1)).toMatchObject({ epoch: 0, fenced: false, rack: 'b' });
  });

  it('by another incarnation is refused while the registered one holds its stream and is heard', () => {
    const f = new ControllerFixture().start(1);
    expect(refused(f, 1, { incarnationId: id(77) })).toBe('DUPLICATE_BROKER_REGISTRATION');
    f.nowMs = 8999;
    expect(refused(f, 1, { incarnationId: id(77) })).toBe('DUPLICATE_BROKER_REGISTRATION');
    f.nowMs = 9000;
    expect(f.register(1, { incarnationId: id(77) })).toBe(2);
  });

  it('by another incarnation is accepted at once when the stream of the registered one broke', () => {
    const f = new ControllerFixture().start(1);
    f.disconnect(1);
    expect(f.register(1, { incarnationId: id(77) })).toBe(2);
  });

  it('by another incarnation is accepted by a controller that never heard of the registered one', () => {
    const f = new ControllerFixture().start(1);
    f.sessions.restart(f.image, f.nowMs);
    expect(f.register(1, { incarnationId: id(77) })).toBe(2);
  });

  it('by another incarnation takes the broker out of the in-sync sets and makes others lead', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1, 2]]), topicRequest('alone', { assignments: [[1]] }));
    f.disconnect(1);
    f.register(1, { incarnationId: id(77) });
    expect(f.partition('lines')).toMatchObject({ isr: [2], leader: 2, leaderEpoch: 1 });
    expect(f.partition('alone')).toMatchObject({ isr: [1], leader: -1, leaderEpoch: 1 });
    expect(f.image.cluster.brokers.get(1)?.fenced).toBe(true);
    f.heartbeat(1);
    expect(f.partition('alone')).toMatchObject({ isr: [1], leader: 1, leaderEpoch: 2 });
  });

  it('ends when a broker is unregistered: it is in no in-sync set with others, and unknown', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1, 2]]));
    f.run((image, context) => decideUnregisterBroker(image, 1, context));
    expect(f.partition('lines')).toMatchObject({ isr: [2], leader: 2 });
    expect(f.image.cluster.brokers.has(1)).toBe(false);
    expect(f.refusal((image, context) => decideUnregisterBroker(image, 1, context))).toBe(
      'BROKER_ID_NOT_REGISTERED',
    );
  });
});

describe('the state of a broker', () => {
  const never = { wantFence: false, wantShutdown: false, isCaughtUp: false, leads: false, known: false };
  it.each<[BrokerState, Partial<typeof never>, BrokerState]>([
    ['fenced', { wantShutdown: true, isCaughtUp: true }, 'shutdown-now'],
    ['fenced', { isCaughtUp: true }, 'unfenced'],
    ['fenced', { isCaughtUp: true, wantFence: true }, 'fenced'],
    ['fenced', {}, 'fenced'],
    ['unfenced', { wantFence: true, wantShutdown: true, leads: true }, 'shutdown-now'],
    ['unfenced', { wantFence: true, leads: true }, 'fenced'],
    ['unfenced', { wantShutdown: true, leads: true }, 'controlled-shutdown'],
    ['unfenced', { wantShutdown: true }, 'shutdown-now'],
    ['unfenced', { leads: true }, 'unfenced'],
    ['controlled-shutdown', { leads: true, known: true }, 'controlled-shutdown'],
    ['controlled-shutdown', { leads: false, known: false }, 'controlled-shutdown'],
    ['controlled-shutdown', { leads: false, known: true }, 'shutdown-now'],
  ])('%s with %j becomes %s', (from, situation, to) => {
    const { leads, known, ...rest } = { ...never, ...situation };
    const broker: BrokerSituation = { ...rest, leadsAny: () => leads, isKnownToOthers: () => known };
    expect(nextBrokerState(from, broker)).toBe(to);
  });
});

describe('a heartbeat', () => {
  it('of another incarnation, or of none, is stale', () => {
    const f = new ControllerFixture().start(1);
    expect(() => f.heartbeat(1, { brokerEpoch: 5 })).toThrow(/registered with epoch 0, not 5/);
    expect(() => f.heartbeat(2, { brokerEpoch: 5 })).toThrow(/not registered/);
  });

  it('unfences a broker once it has published its own registration, not the end of the log', () => {
    const f = new ControllerFixture().start(1);
    f.register(2);
    f.create(topicRequest('later'));
    expect(f.heartbeat(2, { offset: 2 })).toMatchObject({ from: 'fenced', to: 'fenced', isCaughtUp: false });
    expect(f.heartbeat(2, { offset: 3 })).toMatchObject({ from: 'fenced', to: 'unfenced', isCaughtUp: true });
  });

  it('that unfences elects the broker where nobody leads, the broker first being unfenced', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1, 2]]));
    f.fence(2);
    f.fence(1);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
    f.heartbeat(2);
    expect(f.partition('lines').leader).toBe(-1);
    f.heartbeat(1);
    expect(f.records.map(({ kind }) => kind)).toEqual(['broker-registration-change', 'partition-change']);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: 1 });
  });

  it('that fences takes the broker out of the in-sync sets before it fences it', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1, 2]]));
    f.fence(1);
    expect(f.records.map(({ kind }) => kind)).toEqual(['partition-change', 'broker-registration-change']);
    expect(f.partition('lines')).toMatchObject({ isr: [2], leader: 2, leaderEpoch: 1, partitionEpoch: 1 });
  });

  it('of a follower that is fenced does not touch the leader epoch', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1, 2]]));
    f.fence(2);
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 1 });
  });

  it('elects out of sync when the topic allows it, and nothing better is left', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(
      topicRequest('lossy', { assignments: [[1, 2]], configs: { 'unclean.leader.election.enable': 'true' } }),
    );
    f.fence(2);
    f.heartbeat(2);
    f.fence(1);
    expect(f.partition('lossy')).toMatchObject({ isr: [2], leader: 2, leaderRecoveryState: 'recovering' });
  });
});

describe('controlled shutdown', () => {
  function shuttingDown() {
    const f = new ControllerFixture().start(1, 2, 3);
    f.create(lines([[1, 2]]), topicRequest('alone', { assignments: [[1]] }));
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('controlled-shutdown');
    return f;
  }

  it('moves leaders away, and leaves a partition without others to nobody', () => {
    const f = shuttingDown();
    expect(f.partition('lines')).toMatchObject({ isr: [2], leader: 2 });
    expect(f.partition('alone')).toMatchObject({ isr: [1], leader: -1 });
    expect(f.image.cluster.brokers.get(1)).toMatchObject({ fenced: false, inControlledShutdown: true });
  });

  it('ends when every other active broker has published the moves', () => {
    const f = shuttingDown();
    const { offset } = f.image;
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('controlled-shutdown');
    f.heartbeat(2, { offset });
    f.heartbeat(3, { offset: offset - 1 });
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('controlled-shutdown');
    f.heartbeat(3, { offset });
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('shutdown-now');
    expect(f.image.cluster.brokers.get(1)?.fenced).toBe(true);
  });

  it('does not wait for brokers that are fenced', () => {
    const f = shuttingDown();
    f.heartbeat(2);
    f.fence(3);
    f.heartbeat(2);
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('shutdown-now');
  });

  it('that was cut short by fencing is not undone: only a new incarnation comes back', () => {
    const f = shuttingDown();
    f.nowMs = 9000;
    f.run((image, context) => decideFenceExpired(image, 1, context));
    expect(f.heartbeat(1)).toMatchObject({ to: 'fenced', isCaughtUp: true });
    f.register(1, { incarnationId: id(77) });
    expect(f.heartbeat(1).to).toBe('unfenced');
    expect(f.partition('alone').leader).toBe(1);
  });

  it('of the last broker is granted at once', () => {
    const f = new ControllerFixture().start(1);
    f.create(lines([[1]]));
    f.heartbeat(1, { wantShutdown: true });
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('shutdown-now');
    expect(f.partition('lines')).toMatchObject({ isr: [1], leader: -1 });
  });

  it('is not granted while the moves it made under a new controller are not committed', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1, 2]]));
    f.sessions.restart(f.image, f.nowMs);
    f.heartbeat(2);
    const brokerEpoch = f.epochOf(1);
    const leave = { correlationId: 0, brokerId: 1, brokerEpoch, currentMetadataOffset: f.image.offset };
    const wants = { ...leave, wantFence: false, wantShutdown: true, offlineLogDirs: [] };
    const ask = () => f.run((image, context) => decideHeartbeat(image, wants, context)).to;
    expect([ask(), ask()]).toEqual(['controlled-shutdown', 'controlled-shutdown']);
    f.sessions.setShutdownOffset(1, f.image.offset);
    expect(ask()).toBe('controlled-shutdown');
    f.heartbeat(2);
    expect(ask()).toBe('shutdown-now');
  });

  it('waits for everyone anew under a new controller', () => {
    const f = shuttingDown();
    f.heartbeat(2);
    f.heartbeat(3);
    f.sessions.restart(f.image, f.nowMs);
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('controlled-shutdown');
    f.heartbeat(2);
    f.heartbeat(3);
    expect(f.heartbeat(1, { wantShutdown: true }).to).toBe('shutdown-now');
  });
});

describe('activation', () => {
  it('elects the leaders that its predecessor did not come to elect', () => {
    const f = new ControllerFixture().start(1, 2);
    f.create(lines([[1], [2]]));
    f.fence(1);
    const { epoch: brokerEpoch } = f.image.cluster.brokers.get(1) ?? { epoch: -1 };
    const change = { kind: 'broker-registration-change', brokerId: 1, brokerEpoch } as const;
    f.apply([{ ...change, fenced: 'unfence', inControlledShutdown: 'none' }]);
    expect(f.partition('lines').leader).toBe(-1);
    expect(f.run(decideActivate)).toMatchObject({ elected: 1 });
    expect(f.partition('lines')).toMatchObject({ leader: 1, isr: [1] });
  });
});

describe('sessions', () => {
  const fenceExpired = (f: ControllerFixture, brokerId: number) =>
    f.run((image, context) => decideFenceExpired(image, brokerId, context));

  it('end by silence after the session timeout, the longest silent first', () => {
    const f = new ControllerFixture().start(1, 2);
    f.nowMs = 100;
    f.heartbeat(1);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(9000);
    f.nowMs = 8999;
    expect(f.sessions.findExpired(f.image, f.nowMs)).toBeUndefined();
    f.nowMs = 9200;
    expect(f.sessions.findExpired(f.image, f.nowMs)).toBe(2);
    expect(fenceExpired(f, 2)).toBe(true);
    expect(f.sessions.findExpired(f.image, f.nowMs)).toBe(1);
  });

  it('end sooner by a broken stream that does not come back within its grace', () => {
    const f = new ControllerFixture().start(1);
    f.nowMs = 100;
    expect(f.disconnect(1)).toBe(true);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(600);
    f.nowMs = 500;
    f.heartbeat(1);
    f.nowMs = 600;
    expect(f.sessions.findExpired(f.image, f.nowMs)).toBeUndefined();
    expect(f.sessions.nextExpiryMs(f.image)).toBe(9500);
  });

  it('do not end by the break of a stream that was replaced', () => {
    const f = new ControllerFixture().start(1);
    const old = f.streams.get(1) as object;
    f.streams.delete(1);
    f.heartbeat(1);
    expect(f.sessions.disconnect(1, old, 0)).toBe(false);
    expect(f.sessions.isConnected(1, 0)).toBe(true);
  });

  it('all start anew with a new controller', () => {
    const f = new ControllerFixture().start(1, 2);
    f.disconnect(1);
    f.nowMs = 8000;
    f.sessions.restart(f.image, f.nowMs);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(17_000);
  });

  it('with a new controller have the grace of a broken stream from when most of the others have spoken', () => {
    const f = new ControllerFixture().start(1, 2, 3);
    f.sessions.restart(f.image, f.nowMs);
    f.nowMs = 100;
    f.heartbeat(1);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(9000);
    f.nowMs = 300;
    f.heartbeat(2);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(800);
    f.nowMs = 400;
    f.heartbeat(1);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(800);
    f.nowMs = 800;
    expect(fenceExpired(f, 3)).toBe(true);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(9300);
  });

  it('with a new controller wait for brokers as long as ever while most of the others are not there either', () => {
    const f = new ControllerFixture().start(1, 2, 3, 4, 5);
    f.fence(5);
    f.sessions.restart(f.image, f.nowMs);
    f.nowMs = 100;
    f.heartbeat(1);
    f.heartbeat(5, { wantFence: true });
    expect(f.sessions.nextExpiryMs(f.image)).toBe(9000);
    f.heartbeat(2);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(600);
  });

  it('of a broker that came late to a new controller go on', () => {
    const f = new ControllerFixture().start(1, 2);
    f.sessions.restart(f.image, f.nowMs);
    f.heartbeat(1);
    f.nowMs = 499;
    f.heartbeat(2);
    expect(f.sessions.nextExpiryMs(f.image)).toBe(9000);
  });

  it('of fenced brokers do not end', () => {
    const f = new ControllerFixture().start(1);
    f.fence(1);
    expect(f.sessions.nextExpiryMs(f.image)).toBeUndefined();
  });

  it('that were heard of before the fencing is decided go on', () => {
    const f = new ControllerFixture().start(1);
    f.nowMs = 9000;
    f.heartbeat(1);
    expect(fenceExpired(f, 1)).toBe(false);
    expect(f.records).toEqual([]);
  });
});

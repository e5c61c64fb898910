import { describe, expect, it } from 'vitest';
import type { ErrorName } from '../../../src/base/index.ts';
import { EAGER_INTERVAL_MS } from '../../../src/broker/lifecycle/heartbeat-session.ts';
import type { LifecycleEffect, LifecycleEvent } from '../../../src/broker/lifecycle/lifecycle-events.ts';
import {
  BACKOFF_MIN_MS,
  DESERTED_MS,
  LifecycleState,
} from '../../../src/broker/lifecycle/lifecycle-state.ts';
import type { BrokerHeartbeat } from '../../../src/rpc/api/index.ts';

const SETTINGS = {
  nodeId: 1,
  heartbeatIntervalMs: 2_000,
  registrationTimeoutMs: 60_000,
  controlledShutdownTimeoutMs: 5_000,
};
const CONTROLLER = { nodeId: 9, epoch: 4 };

/** A machine with its clock, verbs for what happens, and what it did last. */
class Life {
  nowMs = 1_000;
  readonly state = new LifecycleState(SETTINGS, this.nowMs);
  effects: LifecycleEffect[] = [];

  on(event: LifecycleEvent): this {
    this.effects = this.state.step(event, this.nowMs);
    return this;
  }

  /** Lets `ms` pass, waking the machine whenever it asked for it; keeps all effects. */
  pass(ms: number): this {
    const until = this.nowMs + ms;
    const effects: LifecycleEffect[] = [];
    for (let steps = 0; steps < 1_000; steps++) {
      const wake = this.state.wakeAtMs();
      if (wake === undefined || wake > until) break;
      this.nowMs = Math.max(this.nowMs, wake);
      effects.push(...this.state.step({ kind: 'tick' }, this.nowMs));
    }
    this.nowMs = until;
    this.effects = effects;
    return this;
  }

  kinds(): string[] {
    return this.effects.map((effect) => effect.kind);
  }

  heartbeats(): BrokerHeartbeat[] {
    return this.effects.flatMap((effect) => (effect.kind === 'heartbeat' ? [effect.heartbeat] : []));
  }

  controller(nodeId = CONTROLLER.nodeId, epoch = CONTROLLER.epoch): this {
    return this.on({ kind: 'controller', controller: { nodeId, epoch } });
  }

  registered(brokerEpoch = 10): this {
    return this.on({ kind: 'registered', brokerEpoch });
  }

  published(offset: number, urgent = false): this {
    return this.on({ kind: 'published', offset, urgent, unfencedEpoch: -1 });
  }

  reply(
    session: number,
    correlationId: number,
    fields: { isFenced?: boolean; shouldShutdown?: boolean; error?: ErrorName } = {},
  ): this {
    const { isFenced = true, shouldShutdown = false, error = 'NONE' } = fields;
    return this.on({
      kind: 'reply',
      session,
      reply: { correlationId, error, isCaughtUp: true, isFenced, shouldShutdown },
    });
  }

  /** Unfenced, its session 1 open, all heartbeats answered. */
  running(): this {
    this.controller().registered(10).reply(1, 1);
    this.published(11).on({ kind: 'settled', brokerEpoch: 10 });
    return this.reply(1, 2, { isFenced: false });
  }
}

describe('data directories that have failed', () => {
  const [A, B] = ['AAAAAAAAAAAAAAAAAAAAQQ', 'BBBBBBBBBBBBBBBBBBBBQQ'] as const;
  const failed = (...offline: string[]) => ({ kind: 'directories', offline }) as const;
  const told = (life: Life) => life.heartbeats().map(({ offlineLogDirs }) => offlineLogDirs);

  it('are told at once, and with every heartbeat from then on', () => {
    const life = new Life().running();
    expect(told(life.on(failed(A)))).toEqual([[A]]);
    life.reply(1, 3, { isFenced: false });
    expect(told(life.pass(SETTINGS.heartbeatIntervalMs))).toEqual([[A]]);
    life.reply(1, 4, { isFenced: false });
    expect(told(life.on(failed(A, B)))).toEqual([[A, B]]);
  });

  it('meanwhile a heartbeat is under way are told with its reply, not after an interval', () => {
    const life = new Life().running().on(failed(A));
    expect(told(life.on(failed(A, B)))).toEqual([]);
    expect(told(life.reply(1, 3, { isFenced: false }))).toEqual([[A, B]]);
  });

  it('before there is a session are told when it opens, to another controller and after a new registration too', () => {
    const life = new Life().controller().on(failed(A));
    expect(told(life)).toEqual([]);
    expect(told(life.registered(10))).toEqual([[A]]);
    expect(told(life.controller(8, 5))).toEqual([[A]]);
    life.reply(2, 2, { error: 'STALE_BROKER_EPOCH' });
    expect(told(life.registered(20))).toEqual([[A]]);
  });
});

describe('registration', () => {
  it('is asked for as soon as a controller is known, and once at a time', () => {
    const life = new Life().on({ kind: 'tick' });
    expect(life.kinds()).toEqual([]);
    expect(life.controller().effects).toEqual([{ kind: 'register', controller: CONTROLLER }]);
    expect(life.on({ kind: 'tick' }).kinds()).toEqual([]);
  });

  it.each(['DUPLICATE_BROKER_REGISTRATION', 'NOT_CONTROLLER'] as const)('is tried again after %s', (code) => {
    const life = new Life().controller();
    expect(life.on({ kind: 'registration-failed', code, message: 'no' }).kinds()).toEqual([]);
    expect(life.pass(BACKOFF_MIN_MS).kinds()).toEqual(['register']);
  });

  it('backs off more with each failure, up to a quarter of a second', () => {
    const life = new Life().controller();
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      life.on({ kind: 'registration-failed', message: 'unreachable' });
      const wake = life.state.wakeAtMs() ?? 0;
      pauses.push(wake - life.nowMs);
      life.pass(wake - life.nowMs);
    }
    expect(pauses).toEqual([20, 40, 80, 160, 250, 250]);
  });

  it('is tried at once with a new controller, whatever the pause was', () => {
    const life = new Life().controller().on({ kind: 'registration-failed', message: 'unreachable' });
    expect(life.controller(8, 5).kinds()).toEqual(['register']);
  });

  it('ends when the cluster says it never will take this broker', () => {
    const life = new Life().controller();
    life.on({ kind: 'registration-failed', code: 'INCONSISTENT_CLUSTER_ID', message: 'another cluster' });
    expect(life.effects).toEqual([{ kind: 'refused', message: 'another cluster', registered: false }]);
    expect(life.state.phase).toBe('stopped');
  });

  it('ends at its deadline with the last reason', () => {
    const life = new Life();
    life.pass(SETTINGS.registrationTimeoutMs - 1);
    expect(life.kinds()).toEqual([]);
    expect(life.pass(1).effects).toEqual([
      { kind: 'refused', message: 'no active controller is known', registered: false },
    ]);
  });

  it('has no deadline for a broker that was registered before, unless a namesake lives', () => {
    const life = new Life().running().pass(2_000);
    life.reply(1, 3, { error: 'STALE_BROKER_EPOCH' });
    expect(life.kinds()).toEqual(['close-session', 'fenced', 'register']);
    life.on({ kind: 'registration-failed', message: 'unreachable' }).pass(120_000);
    expect(life.state.phase).toBe('registering');
    const code = 'DUPLICATE_BROKER_REGISTRATION';
    life.on({ kind: 'registration-failed', code, message: 'another broker 1 is alive' });
    expect(life.effects.at(-1)).toMatchObject({ kind: 'refused', registered: true });
  });
});

describe('unfencing', () => {
  it('opens the session at registration and says hello at once', () => {
    const life = new Life().controller().registered(10);
    expect(life.kinds()).toEqual(['open-session', 'heartbeat']);
    expect(life.heartbeats()[0]).toMatchObject({ brokerEpoch: 10, wantFence: true, wantShutdown: false });
  });

  it('waits for the own registration in the metadata, then for the replicas', () => {
    const life = new Life().controller().registered(10).reply(1, 1);
    expect(life.published(10).kinds()).toEqual([]);
    expect(life.published(11).effects).toEqual([{ kind: 'settle', brokerEpoch: 10 }]);
    expect(life.published(12).kinds()).toEqual([]);
    life.on({ kind: 'settled', brokerEpoch: 10 });
    expect(life.heartbeats()).toMatchObject([{ wantFence: false, currentMetadataOffset: 12 }]);
    expect(life.reply(1, 2, { isFenced: false }).kinds()).toEqual(['unfenced']);
    expect(life.state.phase).toBe('running');
  });

  it('does not count what settled for an earlier registration', () => {
    const life = new Life().controller().registered(10).reply(1, 1).published(11);
    life.reply(1, 1, { error: 'STALE_BROKER_EPOCH' }).registered(20);
    life.on({ kind: 'settled', brokerEpoch: 10 });
    expect(life.reply(2, 2).heartbeats()).toEqual([]);
    expect(life.published(21).kinds()).toContain('settle');
  });

  it('keeps asking quickly while the controller holds it fenced', () => {
    const life = new Life().controller().registered(10).reply(1, 1).published(11);
    life.on({ kind: 'settled', brokerEpoch: 10 }).reply(1, 2);
    expect(life.pass(EAGER_INTERVAL_MS).heartbeats()).toMatchObject([{ wantFence: false }]);
  });

  it('is also learnt from the metadata, of this registration only', () => {
    const life = new Life().controller().registered(10).published(12);
    const seen = { kind: 'published', offset: 12, urgent: true } as const;
    expect(life.on({ ...seen, unfencedEpoch: 7 }).kinds()).not.toContain('unfenced');
    expect(life.on({ ...seen, unfencedEpoch: 10 }).kinds()).toContain('unfenced');
  });
});

describe('heartbeats', () => {
  it('come every interval', () => {
    const life = new Life().running();
    expect(life.pass(1_999).heartbeats()).toHaveLength(0);
    expect(life.pass(1).heartbeats()).toHaveLength(1);
  });

  it('tell a change at once, and what changes meanwhile with the next, when the first is answered', () => {
    const life = new Life().running();
    expect(life.published(20, true).heartbeats()).toMatchObject([{ currentMetadataOffset: 20 }]);
    expect(life.published(21, true).heartbeats()).toEqual([]);
    expect(life.published(22, true).heartbeats()).toEqual([]);
    expect(life.reply(1, 3, { isFenced: false }).heartbeats()).toMatchObject([{ currentMetadataOffset: 22 }]);
  });

  it('do not hurry for metadata that nobody waits for', () => {
    expect(new Life().running().published(20, false).heartbeats()).toEqual([]);
  });
});

describe('session', () => {
  it('moves to a new controller at once', () => {
    const life = new Life().running().controller(8, 5);
    expect(life.effects).toMatchObject([
      { kind: 'close-session', session: 1 },
      { kind: 'open-session', session: 2, controller: { nodeId: 8, epoch: 5 } },
      { kind: 'heartbeat', session: 2 },
    ]);
  });

  it('stays while nobody leads, and when the same controller is announced again', () => {
    const life = new Life().running().on({ kind: 'controller' });
    expect(life.kinds()).toEqual([]);
    expect(life.controller().kinds()).toEqual([]);
  });

  it('never goes back to the controller of an older epoch', () => {
    const life = new Life().running().controller(8, 5);
    expect(life.controller(9, 4).kinds()).toEqual([]);
  });

  it('is opened again at once after a break, and with a pause when it never worked', () => {
    const life = new Life().running();
    expect(life.on({ kind: 'session-ended', session: 1 }).kinds()).toEqual(['open-session', 'heartbeat']);
    expect(life.on({ kind: 'session-ended', session: 2 }).kinds()).toEqual([]);
    expect(life.pass(BACKOFF_MIN_MS).kinds()).toEqual(['open-session', 'heartbeat']);
  });

  it('is opened again when the controller has been silent for two intervals', () => {
    const life = new Life().running().pass(2_000);
    expect(life.pass(3_999).kinds()).toEqual(['heartbeat']);
    expect(life.pass(1 + BACKOFF_MIN_MS).kinds()).toEqual(
      expect.arrayContaining(['close-session', 'open-session', 'heartbeat']),
    );
  });

  it('ignores what an older session still says', () => {
    const life = new Life().running().controller(8, 5);
    expect(life.reply(1, 2, { error: 'STALE_BROKER_EPOCH' }).kinds()).toEqual([]);
    expect(life.on({ kind: 'session-ended', session: 1 }).kinds()).toEqual([]);
  });
});

describe('controlled shutdown', () => {
  it('asks every 50 ms until the controller lets go', () => {
    const life = new Life().running().on({ kind: 'shutdown' });
    expect(life.heartbeats()).toMatchObject([{ wantShutdown: true, wantFence: false }]);
    life.reply(1, 3, { isFenced: false });
    expect(life.pass(EAGER_INTERVAL_MS).heartbeats()).toMatchObject([{ wantShutdown: true }]);
    life.reply(1, 4, { isFenced: true, shouldShutdown: true });
    expect(life.effects).toEqual([
      { kind: 'close-session', session: 1 },
      { kind: 'shutdown-over', granted: true },
    ]);
  });

  it('gives up at its deadline', () => {
    const life = new Life().running().on({ kind: 'shutdown' });
    const startMs = life.nowMs;
    for (let id = 3; life.state.phase === 'shutting-down'; id++) life.pass(EAGER_INTERVAL_MS).reply(1, id);
    expect(life.nowMs - startMs).toBeGreaterThanOrEqual(SETTINGS.controlledShutdownTimeoutMs);
    expect(life.state.wakeAtMs()).toBeUndefined();
  });

  it('gives up earlier when the controllers are silent', () => {
    const life = new Life().running().on({ kind: 'shutdown' });
    expect(life.pass(DESERTED_MS).effects.at(-1)).toEqual({ kind: 'shutdown-over', granted: false });
  });

  it('needs no controller when the broker was never registered', () => {
    expect(new Life().on({ kind: 'shutdown' }).effects).toEqual([{ kind: 'shutdown-over', granted: false }]);
  });
});

/**
 * The life of a broker as the active controller sees it, as a pure machine: events in, effects out, time as a number.
 *
 *   registering -> catching-up -> running -> shutting-down -> stopped
 *        ^______________|____________|   (the controller knows another broker epoch: register again)
 *
 * - One registration in flight; refusals that waiting can mend (a predecessor whose session still lives, another
 *   controller) are tried again until the registration deadline.
 * - One session stream, to the controller of the newest quorum epoch; opened again at once when it breaks or moves.
 * - A broker asks to be unfenced only when its published metadata holds its own registration and its replicas have
 *   settled on it, not when it has reached the end of a log that never stops growing (KAFKA-13959).
 * - Heartbeats: at once when the session opens, when something the controller waits for has changed (one at a time, what
 *   comes meanwhile is told by the next), and every interval in any case.
 *
 * Source: KIP-631, "Broker Registration and State Management"; KIP-500.
 */
import {
  assertNever,
  type BrokerEpoch,
  type ErrorName,
  type MonotonicMs,
  NONE,
  type Offset,
  type Uuid,
} from '../../base/index.ts';
import type { BrokerHeartbeatReply } from '../../rpc/api/index.ts';
import { HeartbeatSession } from './heartbeat-session.ts';
import type {
  ControllerRef,
  LifecycleEffect,
  LifecycleEvent,
  LifecyclePhase,
  LifecycleSettings,
} from './lifecycle-events.ts';

export const BACKOFF_MIN_MS = 20;
export const BACKOFF_MAX_MS = 250;
/** A broker that wants to go waits no longer than this for a controller that says nothing. */
export const DESERTED_MS = 2_000;

/** Refusals that the same request cannot outlive. */
const FINAL: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'INCONSISTENT_CLUSTER_ID',
  'INVALID_REGISTRATION',
  'UNSUPPORTED_VERSION',
  'INVALID_REQUEST',
]);

export class LifecycleState {
  readonly #settings: LifecycleSettings;
  #phase: LifecyclePhase = 'registering';
  #controller: ControllerRef | undefined;
  #brokerEpoch: BrokerEpoch = NONE;
  #everRegistered = false;
  #registering = false;
  #duplicate = false;
  #refusal = 'no active controller is known';
  #registrationDeadlineMs: MonotonicMs;
  #retryAtMs: MonotonicMs;
  #backoffMs = BACKOFF_MIN_MS;
  #session: HeartbeatSession | undefined;
  #sessions = 0;
  #correlationId = 0;
  #publishedOffset: Offset = 0;
  #offlineLogDirs: readonly Uuid[] = [];
  #settling = false;
  #settled = false;
  #urgent = false;
  #shutdownDeadlineMs: MonotonicMs = 0;
  #leaveAtMs: MonotonicMs = 0;

  constructor(settings: LifecycleSettings, nowMs: MonotonicMs) {
    this.#settings = settings;
    this.#registrationDeadlineMs = nowMs + settings.registrationTimeoutMs;
    this.#retryAtMs = nowMs;
  }

  get phase(): LifecyclePhase {
    return this.#phase;
  }

  /** Of the last registration; stays while a new one is sought. -1: never registered. */
  get brokerEpoch(): BrokerEpoch {
    return this.#brokerEpoch;
  }

  /** Why the broker is not registered, for people. */
  get refusal(): string {
    return this.#refusal;
  }

  /** Takes an event and says what to do, in order. */
  step(event: LifecycleEvent, nowMs: MonotonicMs): LifecycleEffect[] {
    if (this.#phase === 'stopped') return [];
    const effects: LifecycleEffect[] = [];
    this.#take(event, nowMs, effects);
    this.#advance(nowMs, effects);
    return effects;
  }

  /** When `step` wants a 'tick'; undefined: only an event can change anything. */
  wakeAtMs(): MonotonicMs | undefined {
    switch (this.#phase) {
      case 'stopped':
        return undefined;
      case 'registering':
        return finite(
          this.#controller === undefined || this.#registering
            ? this.#refusedAtMs()
            : Math.min(this.#refusedAtMs(), this.#retryAtMs),
        );
      case 'shutting-down':
        return Math.min(this.#shutdownOverAtMs(), this.#sessionWakeMs());
      default:
        return finite(this.#sessionWakeMs());
    }
  }

  #shutdownOverAtMs(): MonotonicMs {
    return Math.min(this.#shutdownDeadlineMs, this.#leaveAtMs);
  }

  #sessionWakeMs(): number {
    const session = this.#session;
    if (session !== undefined) return Math.min(this.#heartbeatDueMs(session), session.silentAtMs());
    return this.#controller === undefined ? Number.POSITIVE_INFINITY : this.#retryAtMs;
  }

  #take(event: LifecycleEvent, nowMs: MonotonicMs, effects: LifecycleEffect[]): void {
    switch (event.kind) {
      case 'tick':
        return;
      case 'controller':
        this.#takeController(event.controller, nowMs);
        return;
      case 'registered':
        this.#takeRegistered(event.brokerEpoch, nowMs);
        return;
      case 'registration-failed':
        this.#registering = false;
        this.#refusal = event.message;
        this.#duplicate = event.code === 'DUPLICATE_BROKER_REGISTRATION';
        if (event.code !== undefined && FINAL.has(event.code)) {
          this.#refuse(effects);
          return;
        }
        this.#backOff(nowMs);
        return;
      case 'published':
        this.#publishedOffset = Math.max(this.#publishedOffset, event.offset);
        this.#urgent ||= event.urgent;
        if (event.unfencedEpoch !== NONE && event.unfencedEpoch === this.#brokerEpoch)
          this.#unfenced(effects);
        return;
      case 'settled':
        if (event.brokerEpoch !== this.#brokerEpoch || this.#settled) return;
        this.#settled = true;
        this.#urgent = true;
        return;
      case 'directories':
        this.#offlineLogDirs = event.offline;
        this.#urgent = true;
        return;
      case 'reply':
        this.#takeReply(event.session, event.reply, nowMs, effects);
        return;
      case 'session-ended':
        if (event.session === this.#session?.number) this.#dropSession(nowMs);
        return;
      case 'shutdown':
        this.#takeShutdown(nowMs, effects);
        return;
      default:
        assertNever(event);
    }
  }

  #takeController(controller: ControllerRef | undefined, nowMs: MonotonicMs): void {
    const known = this.#controller;
    if (controller !== undefined && known !== undefined) {
      if (controller.epoch < known.epoch || isSame(controller, known)) return;
    }
    this.#controller = controller;
    this.#retryAtMs = nowMs;
    this.#backoffMs = BACKOFF_MIN_MS;
  }

  #takeRegistered(brokerEpoch: BrokerEpoch, nowMs: MonotonicMs): void {
    this.#registering = false;
    if (this.#phase !== 'registering') return;
    // The same incarnation keeps its epoch: what was settled for it stays settled.
    if (brokerEpoch !== this.#brokerEpoch) {
      this.#settling = false;
      this.#settled = false;
    }
    this.#brokerEpoch = brokerEpoch;
    this.#everRegistered = true;
    this.#phase = 'catching-up';
    this.#retryAtMs = nowMs;
    this.#backoffMs = BACKOFF_MIN_MS;
  }

  #takeReply(
    number: number,
    reply: BrokerHeartbeatReply,
    nowMs: MonotonicMs,
    effects: LifecycleEffect[],
  ): void {
    const session = this.#session;
    if (session === undefined || session.number !== number) return;
    session.noteReply(reply.correlationId);
    this.#leaveAtMs = nowMs + DESERTED_MS;
    switch (reply.error) {
      case 'NONE':
        this.#backoffMs = BACKOFF_MIN_MS;
        if (reply.shouldShutdown && this.#phase === 'shutting-down') {
          this.#stop(true, effects);
          return;
        }
        if (!reply.isFenced) this.#unfenced(effects);
        else if (this.#phase === 'running') {
          this.#phase = 'catching-up';
          effects.push({ kind: 'fenced' });
        }
        return;
      case 'STALE_BROKER_EPOCH':
      case 'BROKER_ID_NOT_REGISTERED':
        effects.push({ kind: 'close-session', session: session.number });
        this.#session = undefined;
        if (this.#phase === 'shutting-down') {
          this.#stop(false, effects);
          return;
        }
        if (this.#phase === 'running') effects.push({ kind: 'fenced' });
        this.#phase = 'registering';
        this.#refusal = reply.errorMessage ?? 'the controller knows another registration of this broker';
        this.#registrationDeadlineMs = nowMs + this.#settings.registrationTimeoutMs;
        this.#retryAtMs = nowMs;
        return;
      case 'REQUEST_TIMED_OUT':
      case 'RESOURCE_EXHAUSTED':
        // The controller is there and slow: it has heard, and will be asked again.
        return;
      default:
        effects.push({ kind: 'close-session', session: session.number });
        session.noteUseless();
        this.#dropSession(nowMs);
    }
  }

  #takeShutdown(nowMs: MonotonicMs, effects: LifecycleEffect[]): void {
    if (this.#phase === 'shutting-down') return;
    if (this.#phase === 'registering') {
      this.#stop(false, effects);
      return;
    }
    this.#phase = 'shutting-down';
    this.#shutdownDeadlineMs = nowMs + this.#settings.controlledShutdownTimeoutMs;
    this.#leaveAtMs = nowMs + DESERTED_MS;
    this.#urgent = true;
  }

  /** Does whatever the state allows now. */
  #advance(nowMs: MonotonicMs, effects: LifecycleEffect[]): void {
    if (this.#phase === 'stopped') return;
    if (this.#phase === 'registering') {
      this.#advanceRegistration(nowMs, effects);
      return;
    }
    if (this.#phase === 'shutting-down' && nowMs >= this.#shutdownOverAtMs()) {
      this.#stop(false, effects);
      return;
    }
    if (!this.#settling && this.#publishedOffset > this.#brokerEpoch) {
      this.#settling = true;
      effects.push({ kind: 'settle', brokerEpoch: this.#brokerEpoch });
    }
    this.#advanceSession(nowMs, effects);
  }

  #advanceRegistration(nowMs: MonotonicMs, effects: LifecycleEffect[]): void {
    if (nowMs >= this.#refusedAtMs()) {
      this.#refuse(effects);
      return;
    }
    if (this.#controller === undefined || this.#registering || nowMs < this.#retryAtMs) return;
    this.#registering = true;
    effects.push({ kind: 'register', controller: this.#controller });
  }

  #advanceSession(nowMs: MonotonicMs, effects: LifecycleEffect[]): void {
    const controller = this.#controller;
    const old = this.#session;
    if (old !== undefined && controller !== undefined && !isSame(old.controller, controller)) {
      effects.push({ kind: 'close-session', session: old.number });
      this.#session = undefined;
    } else if (old !== undefined && nowMs >= old.silentAtMs()) {
      effects.push({ kind: 'close-session', session: old.number });
      old.noteUseless();
      this.#dropSession(nowMs);
    }
    if (this.#session === undefined && controller !== undefined && nowMs >= this.#retryAtMs) {
      this.#sessions += 1;
      const intervalMs = this.#settings.heartbeatIntervalMs;
      this.#session = new HeartbeatSession(this.#sessions, controller, { intervalMs, nowMs });
      effects.push({ kind: 'open-session', session: this.#sessions, controller });
      this.#urgent = true;
    }
    const session = this.#session;
    if (session !== undefined && nowMs >= this.#heartbeatDueMs(session))
      this.#heartbeat(session, nowMs, effects);
  }

  #heartbeat(session: HeartbeatSession, nowMs: MonotonicMs, effects: LifecycleEffect[]): void {
    this.#correlationId += 1;
    this.#urgent = false;
    session.noteSent(this.#correlationId, nowMs);
    effects.push({
      kind: 'heartbeat',
      session: session.number,
      heartbeat: {
        correlationId: this.#correlationId,
        brokerId: this.#settings.nodeId,
        brokerEpoch: this.#brokerEpoch,
        currentMetadataOffset: this.#publishedOffset,
        wantFence: !this.#settled,
        wantShutdown: this.#phase === 'shutting-down',
        offlineLogDirs: this.#offlineLogDirs,
      },
    });
  }

  #heartbeatDueMs(session: HeartbeatSession): MonotonicMs {
    const eager = this.#phase === 'shutting-down' || (this.#phase === 'catching-up' && this.#settled);
    return session.dueMs({ urgent: this.#urgent, eager });
  }

  /** A session that worked is opened again at once, one that never did after a pause. */
  #dropSession(nowMs: MonotonicMs): void {
    const worked = this.#session?.answered === true;
    this.#session = undefined;
    if (worked) this.#retryAtMs = nowMs;
    else this.#backOff(nowMs);
  }

  /** A broker that was registered outlives any absence of the controllers; only a living namesake ends it. */
  #refusedAtMs(): MonotonicMs {
    return this.#everRegistered && !this.#duplicate ? Number.POSITIVE_INFINITY : this.#registrationDeadlineMs;
  }

  #backOff(nowMs: MonotonicMs): void {
    this.#retryAtMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  #unfenced(effects: LifecycleEffect[]): void {
    if (this.#phase !== 'catching-up') return;
    this.#phase = 'running';
    effects.push({ kind: 'unfenced' });
  }

  #refuse(effects: LifecycleEffect[]): void {
    this.#phase = 'stopped';
    effects.push({ kind: 'refused', message: this.#refusal, registered: this.#everRegistered });
  }

  #stop(granted: boolean, effects: LifecycleEffect[]): void {
    if (this.#session !== undefined) effects.push({ kind: 'close-session', session: this.#session.number });
    this.#session = undefined;
    this.#phase = 'stopped';
    effects.push({ kind: 'shutdown-over', granted });
  }
}

function isSame(a: ControllerRef, b: ControllerRef): boolean {
  return a.nodeId === b.nodeId && a.epoch === b.epoch;
}

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}

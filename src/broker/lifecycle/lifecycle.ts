/**
 * Drives the lifecycle machine: registration calls, the session stream, the timer. All decisions are in the machine.
 *
 * It is the last metadata publisher of a broker: when it hears of an image, everything else has taken it.
 */
import {
  ApiError,
  assertNever,
  type BrokerEpoch,
  type MonotonicMs,
  NONE,
  StartupError,
  type Uuid,
} from '../../base/index.ts';
import type { Environment, Timer } from '../../env/index.ts';
import type { ImageDelta, MetadataImage } from '../../metadata/index.ts';
import type {
  BrokerHeartbeat,
  BrokerHeartbeatReply,
  Connection,
  RegisterBrokerRequest,
  Sink,
} from '../../rpc/api/index.ts';
import { messageOf } from '../flow/outcome.ts';
import type {
  ControllerRef,
  LifecycleEffect,
  LifecycleEvent,
  LifecyclePhase,
  LifecycleSettings,
} from './lifecycle-events.ts';
import { LifecycleState } from './lifecycle-state.ts';

/** Longest wait for the reply to one registration; it commits a record, so it is not instant. */
const REGISTER_TIMEOUT_MS = 5_000;

export interface LifecycleOptions {
  readonly settings: LifecycleSettings;
  readonly environment: Environment;
  readonly registration: Omit<RegisterBrokerRequest, 'logDirs'>;
  /** The data directories that are online now. */
  readonly logDirs: () => readonly Uuid[];
  readonly connect: (controller: ControllerRef) => Connection;
  /** Resolves when the replicas follow all metadata published before the call. */
  readonly settled: () => Promise<void>;
}

type Published = Extract<LifecycleEvent, { readonly kind: 'published' }>;

export class Lifecycle {
  readonly name = 'lifecycle';
  /** Registered, caught up and unfenced for the first time. Rejects with StartupError when the cluster refuses. */
  readonly ready: Promise<void>;
  readonly #options: LifecycleOptions;
  readonly #state: LifecycleState;
  readonly #ready = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<boolean>();
  readonly #abort = new AbortController();
  #session: { readonly number: number; readonly heartbeats: Sink<BrokerHeartbeat> } | undefined;
  #timer: Timer | undefined;
  /** The newest metadata that no heartbeat may report yet. */
  #unreported: Published | undefined;
  #reporting = false;
  #wasReady = false;
  #closed = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever waits hears of it; nobody has to wait
    this.#state = new LifecycleState(options.settings, this.#now());
  }

  get phase(): LifecyclePhase {
    return this.#state.phase;
  }

  get brokerEpoch(): BrokerEpoch {
    return this.#state.brokerEpoch;
  }

  /** Why it is not running, for people. */
  get trouble(): string {
    return this.#state.phase === 'registering' ? this.#state.refusal : `the broker is ${this.#state.phase}`;
  }

  start(): void {
    this.#step({ kind: 'tick' });
  }

  controllerChanged(controller: ControllerRef | undefined): void {
    this.#step(controller === undefined ? { kind: 'controller' } : { kind: 'controller', controller });
  }

  /**
   * What a heartbeat reports as known here is carried out here: a new topic's logs are made, its leaders lead. Metadata
   * that come while the replicas are busy are reported together, afterwards.
   */
  publish(delta: ImageDelta, image: MetadataImage): void {
    const own = image.cluster.brokers.get(this.#options.settings.nodeId);
    const topicsChanged = delta.changedTopics.size > 0 || delta.deletedTopics.size > 0;
    const event: Published = {
      kind: 'published',
      offset: image.offset,
      urgent: delta.brokersChanged || topicsChanged,
      unfencedEpoch: own !== undefined && !own.fenced ? own.epoch : NONE,
    };
    if (this.#unreported !== undefined)
      this.#unreported = { ...event, urgent: event.urgent || this.#unreported.urgent };
    else if (!topicsChanged && !this.#reporting) this.#step(event);
    else {
      this.#unreported = event;
      void this.#reportWhenSettled();
    }
  }

  /** `offline` are all data directories that have failed so far; the controller hears of it at once. */
  directoriesChanged(offline: readonly Uuid[]): void {
    this.#step({ kind: 'directories', offline });
  }

  /** Moves leaderships away; resolves with false when that was not possible in time. */
  async shutDown(): Promise<boolean> {
    if (this.#state.phase === 'stopped') return false;
    this.#step({ kind: 'shutdown' });
    return this.#over.promise;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#abort.abort();
    this.#session?.heartbeats.end();
    this.#session = undefined;
    this.#over.resolve(false);
    this.#ready.reject(new StartupError('the broker was closed before it was ready'));
  }

  #now(): MonotonicMs {
    return this.#options.environment.clock.monotonicMs();
  }

  #step(event: LifecycleEvent): void {
    if (this.#closed) return;
    for (const effect of this.#state.step(event, this.#now())) this.#do(effect);
    this.#setTimer();
  }

  #setTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const wakeAtMs = this.#state.wakeAtMs();
    if (wakeAtMs === undefined || this.#closed) return;
    const delayMs = Math.max(0, wakeAtMs - this.#now());
    this.#timer = this.#options.environment.timers.after(delayMs, () => this.#step({ kind: 'tick' }));
  }

  #do(effect: LifecycleEffect): void {
    const { logger, exit } = this.#options.environment;
    switch (effect.kind) {
      case 'register':
        void this.#register(effect.controller);
        return;
      case 'open-session':
        this.#open(effect.session, effect.controller);
        return;
      case 'close-session':
        this.#close(effect.session);
        return;
      case 'heartbeat':
        if (this.#session?.number === effect.session) this.#session.heartbeats.send(effect.heartbeat);
        return;
      case 'settle':
        void this.#settle(effect.brokerEpoch);
        return;
      case 'unfenced':
        logger.info({ brokerEpoch: this.brokerEpoch }, 'broker is unfenced');
        this.#wasReady = true;
        this.#ready.resolve();
        return;
      case 'fenced':
        logger.warn({ brokerEpoch: this.brokerEpoch }, 'broker was fenced');
        return;
      case 'refused': {
        const error = new StartupError(`the cluster does not take this broker: ${effect.message}`);
        logger.error({ reason: effect.message }, 'registration refused');
        this.#ready.reject(error);
        if (this.#wasReady) exit.fatal('fenced-for-ever', error);
        return;
      }
      case 'shutdown-over':
        logger.info({ granted: effect.granted }, 'controlled shutdown is over');
        this.#over.resolve(effect.granted);
        return;
      default:
        assertNever(effect);
    }
  }

  async #register(controller: ControllerRef): Promise<void> {
    try {
      const call = { timeoutMs: REGISTER_TIMEOUT_MS, signal: this.#abort.signal };
      const connection = this.#options.connect(controller);
      const request = { ...this.#options.registration, logDirs: this.#options.logDirs() };
      const reply = await connection.controller.registerBroker(request, call);
      this.#options.environment.logger.info({ brokerEpoch: reply.brokerEpoch }, 'broker is registered');
      this.#step({ kind: 'registered', brokerEpoch: reply.brokerEpoch });
    } catch (error) {
      const message = messageOf(error);
      this.#options.environment.logger.debug(
        { controller: controller.nodeId, message },
        'not registered yet',
      );
      this.#step(
        error instanceof ApiError
          ? { kind: 'registration-failed', code: error.code, message }
          : { kind: 'registration-failed', message },
      );
    }
  }

  #open(number: number, controller: ControllerRef): void {
    const ended = (): void => {
      if (this.#session?.number === number) this.#session = undefined;
      // Never from within a step: the transport may end a stream while it is being opened.
      queueMicrotask(() => this.#step({ kind: 'session-ended', session: number }));
    };
    const replies: Sink<BrokerHeartbeatReply> = {
      send: (reply) => {
        queueMicrotask(() => this.#step({ kind: 'reply', session: number, reply }));
        return true;
      },
      drained: () => Promise.resolve(),
      end: ended,
    };
    try {
      const connection = this.#options.connect(controller);
      const heartbeats = connection.controller.session(replies, { signal: this.#abort.signal });
      this.#session = { number, heartbeats };
    } catch (error) {
      this.#options.environment.logger.debug({ message: messageOf(error) }, 'session not opened');
      ended();
    }
  }

  #close(number: number): void {
    if (this.#session?.number !== number) return;
    this.#session.heartbeats.end();
    this.#session = undefined;
  }

  async #reportWhenSettled(): Promise<void> {
    if (this.#reporting) return;
    this.#reporting = true;
    while (this.#unreported !== undefined) {
      const event = this.#unreported;
      this.#unreported = undefined;
      if (await this.#hasSettled()) this.#step(event);
    }
    this.#reporting = false;
  }

  async #hasSettled(): Promise<boolean> {
    try {
      await this.#options.settled();
      return true;
    } catch (error) {
      this.#options.environment.logger.error({ message: messageOf(error) }, 'replicas did not settle');
      return false;
    }
  }

  async #settle(brokerEpoch: BrokerEpoch): Promise<void> {
    if (await this.#hasSettled()) this.#step({ kind: 'settled', brokerEpoch });
  }
}

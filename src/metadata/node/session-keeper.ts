/**
 * Brokers' session streams at the active controller: their heartbeats, their ends, and the fencing of who is not heard of.
 *
 * Contact is noted when a heartbeat arrives, before it queues, so that a slow controller does not take its brokers for
 * silent ones (KAFKA-15019, KAFKA-17793). A reply leaves when the state it tells is committed.
 */
import { ApiError, type MonotonicMs, type NodeId, type Offset } from '../../base/index.ts';
import type { Logger } from '../../env/index.ts';
import type { BrokerHeartbeat, BrokerHeartbeatReply, CallContext, Sink } from '../../rpc/api/index.ts';
import { findIncarnation } from '../controller/broker-epoch.ts';
import {
  BROKERS_MAX,
  type BrokerSessions,
  decideFenceExpired,
  decideHeartbeat,
  type HeartbeatResult,
} from '../controller/index.ts';
import type { ControllerMachine, ControllerSurroundings } from './controller-machine.ts';
import { SessionStream } from './session-stream.ts';
import { SessionWatch } from './session-watch.ts';

export interface SessionKeeperOptions extends ControllerSurroundings {
  readonly machine: ControllerMachine;
  readonly sessions: BrokerSessions;
  readonly log: Logger;
  /** A broker has published more than before. */
  readonly onContact: () => void;
}

/** Session streams; more are refused. Twice the brokers, as an old stream may still be there when a new one comes. */
const STREAMS_MAX = 2 * BROKERS_MAX;

export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #streams = new Set<SessionStream>();
  readonly #watch: SessionWatch;

  constructor(options: SessionKeeperOptions) {
    const { environment, sessions, machine } = options;
    this.#options = options;
    this.#watch = new SessionWatch({
      environment,
      sessions,
      image: () => machine.speculative,
      fence: (brokerId) => this.#fence(brokerId),
    });
  }

  /** The term of office begins: every registered broker counts as heard of now. */
  start(): void {
    this.#options.sessions.restart(this.#options.machine.committed, this.#nowMs());
    this.#watch.start();
  }

  /** The term ends: brokers are sent to whoever leads now. */
  stop(): void {
    this.#watch.stop();
    const message = this.#options.machine.notControllerMessage();
    for (const stream of [...this.#streams]) stream.end(new ApiError('NOT_CONTROLLER', message));
  }

  open(replies: Sink<BrokerHeartbeatReply>, call: CallContext): Sink<BrokerHeartbeat> {
    const { machine } = this.#options;
    const stream = new SessionStream(replies, call, {
      handleHeartbeat: (from, heartbeat) => this.#heartbeat(from, heartbeat),
      handleEnd: (ended) => this.#end(ended),
    });
    if (!machine.isLeading) {
      stream.end(new ApiError('NOT_CONTROLLER', machine.notControllerMessage()));
    } else if (this.#streams.size >= STREAMS_MAX) {
      stream.end(new ApiError('RESOURCE_EXHAUSTED', `${STREAMS_MAX} session streams are open already`));
    } else {
      this.#streams.add(stream);
    }
    return stream;
  }

  async #heartbeat(stream: SessionStream, heartbeat: BrokerHeartbeat): Promise<BrokerHeartbeatReply> {
    const { correlationId, brokerId } = heartbeat;
    const { machine, config } = this.#options;
    if (!this.#noteContact(stream, heartbeat)) {
      // The broker gave this stream up; what it said then is not carried out any more.
      const late = new ApiError('INVALID_REQUEST', `broker ${brokerId} speaks through a later stream`);
      stream.end(late);
      return refusal(correlationId, late);
    }
    try {
      const { reply } = await machine.submit(
        config.brokerHeartbeatIntervalMs / 2,
        (image, context) => decideHeartbeat(image, heartbeat, context),
        (done) => this.#noteState(brokerId, done.reply, done.offset),
      );
      const { to, isCaughtUp } = reply;
      const isFenced = to === 'fenced' || to === 'shutdown-now';
      return { correlationId, isCaughtUp, isFenced, shouldShutdown: to === 'shutdown-now', error: 'NONE' };
    } catch (error) {
      return refusal(correlationId, error instanceof ApiError ? error : new ApiError('UNKNOWN_SERVER_ERROR'));
    }
  }

  /** False: the broker has spoken through a later stream. */
  #noteContact(stream: SessionStream, heartbeat: BrokerHeartbeat): boolean {
    const { machine, sessions, onContact } = this.#options;
    const { brokerId, brokerEpoch } = heartbeat;
    if (!machine.isLeading) return true;
    if (findIncarnation(machine.speculative, brokerId, brokerEpoch) === undefined) return true;
    const isFirst = !sessions.isHeard(brokerId);
    if (!sessions.touch(brokerId, stream, heartbeat, this.#nowMs())) return false;
    if (isFirst) this.#watch.arm();
    onContact();
    return true;
  }

  #noteState(brokerId: NodeId, { from, to, lostDirectories }: HeartbeatResult, offset: Offset): void {
    if (lostDirectories.length > 0)
      this.#options.log.warn({ brokerId, lostDirectories }, 'broker lost log directories');
    if (from === to) return;
    this.#options.log.info({ brokerId, from, to }, 'broker changed state');
    if (to === 'controlled-shutdown') this.#options.sessions.setShutdownOffset(brokerId, offset);
    this.#watch.arm();
  }

  #end(stream: SessionStream): void {
    this.#streams.delete(stream);
    const { machine, sessions, log } = this.#options;
    const { brokerId } = stream;
    if (brokerId === undefined || !machine.isLeading) return;
    if (!sessions.disconnect(brokerId, stream, this.#nowMs())) return;
    log.debug({ brokerId }, 'session stream ended');
    this.#watch.arm();
  }

  async #fence(brokerId: NodeId): Promise<boolean> {
    const { machine, log } = this.#options;
    try {
      const { reply: isFenced } = await machine.submit(Infinity, (image, context) =>
        decideFenceExpired(image, brokerId, context),
      );
      if (isFenced) log.warn({ brokerId }, 'broker fenced: its session ended');
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.info({ brokerId, reason }, 'broker not fenced');
      return false;
    }
  }

  #nowMs(): MonotonicMs {
    return this.#options.environment.clock.monotonicMs();
  }
}

function refusal(correlationId: number, { code, message }: ApiError): BrokerHeartbeatReply {
  const state = { isCaughtUp: false, isFenced: true, shouldShutdown: false };
  return { correlationId, ...state, error: code, errorMessage: message };
}

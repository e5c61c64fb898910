/**
 * Drives one core: a single inbox, effects carried out in order, one timer. Synchronous with callbacks, so that a
 * simulation can run the same code without a promise; `openRaftNode` puts promises around it.
 *
 * No reentrancy: what listeners, stores and calls answer while effects are carried out waits in the inbox. A failed save
 * ends the process before anything that depended on it has been said.
 */
import {
  assert,
  assertNever,
  type MonotonicMs,
  NONE,
  type NodeId,
  type QuorumEpoch,
} from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import type { Endpoint } from '../core/index.ts';
import {
  type DescribeQuorumReply,
  type Effect,
  type HardState,
  type IdentifyReply,
  type IdentifyRequest,
  type Input,
  type QuorumAnswer,
  type QuorumRequest,
  RaftCore,
  type StoredLog,
  type TailLimits,
} from '../core/index.ts';
import { Bootstrapper, type BootstrapperOptions } from './bootstrapper.ts';
import { Feed, type Leading } from './feed.ts';
import type { LeaderChanged, QuorumListener } from './listener.ts';
import type { DriverPorts } from './ports.ts';
import { refusal } from './refusal.ts';
import { type QuorumStatus, statusOf } from './status.ts';

export interface DriverOptions extends BootstrapperOptions {
  /** As stored. An empty voter set: this directory has not taken part in a quorum yet. */
  readonly hardState: HardState;
  readonly log: StoredLog;
  readonly endpoints: ReadonlyMap<NodeId, Endpoint>;
  /** Absent: TAIL_LIMITS. */
  readonly tailLimits?: TailLimits;
}

/** What `append` says; see RaftNode. */
export type AppendResult =
  | { readonly kind: 'appended'; readonly offset: number }
  | { readonly kind: 'not-leader' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'back-pressure' };

/** Undefined: the node closed before it could answer. */
export type Replier = (answer: QuorumAnswer | undefined) => void;

/** So that rounding never makes a timer fire just before its time. */
const TIMER_SLACK_MS = 0.01;

export class QuorumDriver {
  readonly #options: DriverOptions;
  readonly #ports: DriverPorts;
  readonly #bootstrapper: Bootstrapper;
  #core: RaftCore | undefined;
  #hardState: HardState;
  readonly #inbox: Input[] = [];
  readonly #effects: Effect[] = [];
  #isDraining = false;
  #isClosed = false;
  readonly #repliers = new Map<number, Replier>();
  #callId = 0;
  #timer: { readonly timer: Timer; readonly atMs: MonotonicMs } | undefined;
  readonly #listeners = new Set<QuorumListener>();
  readonly #feeds = new Map<QuorumListener, Feed>();
  #leading: Leading | undefined;

  constructor(options: DriverOptions, ports: DriverPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#hardState = options.hardState;
    this.#bootstrapper = new Bootstrapper(options, ports, ({ kind, voters, clusterId, ...rest }) => {
      const { logger } = ports;
      const { self } = options;
      if ('isReplaced' in rest && rest.isReplaced)
        logger.error(
          { directoryId: self.directoryId, voters },
          'this directory is not a member of the quorum: its disk was replaced or wiped; following without a vote',
        );
      else logger.info({ voters, clusterId, role: kind }, 'quorum established');
      this.#establish({ epoch: 0, leaderId: NONE, voters, clusterId });
    });
  }

  start(): void {
    if (this.#hardState.voters.length > 0) this.#startCore();
    else this.#bootstrapper.start();
  }

  get status(): QuorumStatus {
    return statusOf(this.#options, this.#hardState, this.#core);
  }

  /** Undefined while the quorum is not established. For omniscient checkers. */
  get core(): RaftCore | undefined {
    return this.#core;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A peer asks. `reply` is called once, perhaps much later. */
  handle(message: QuorumRequest, reply: Replier): void {
    if (this.#isClosed) {
      reply(undefined);
      return;
    }
    if (this.#core === undefined) {
      reply(refusal(message));
      return;
    }
    const callId = ++this.#callId;
    this.#repliers.set(callId, reply);
    this.#feed({ kind: 'request', callId, message });
  }

  /** Calls that wait for an answer. */
  get pendingCalls(): number {
    return this.#repliers.size;
  }

  handleIdentify(request: IdentifyRequest): IdentifyReply {
    const { self, clusterId } = this.#options;
    const { voters } = this.#hardState;
    const founders = this.#core === undefined ? this.#bootstrapper.handleIdentify(request) : [];
    return { clusterId: this.#hardState.clusterId ?? clusterId, voter: self, voters, founders };
  }

  append(epoch: QuorumEpoch, payload: Uint8Array): AppendResult {
    if (this.#core === undefined || this.#isClosed) return { kind: 'not-leader' };
    const outcome = this.#core.append(epoch, payload, this.#ports.nowMs());
    if (outcome.kind !== 'appended') return outcome;
    this.#effects.push(...outcome.effects);
    this.#drain();
    return { kind: 'appended', offset: outcome.offset };
  }

  subscribe(listener: QuorumListener): () => void {
    assert(!this.#listeners.has(listener), 'a listener subscribes once');
    this.#listeners.add(listener);
    const core = this.#core;
    if (core !== undefined) this.#startFeed(listener, core);
    return () => {
      this.#listeners.delete(listener);
      this.#feeds.get(listener)?.close();
      this.#feeds.delete(listener);
    };
  }

  resign(epoch: QuorumEpoch): void {
    this.#feed({ kind: 'resign', epoch });
  }

  peerDisconnected(nodeId: NodeId): void {
    this.#feed({ kind: 'peer-disconnected', nodeId });
  }

  /** Hands leadership over; the node goes on answering until it is closed. */
  shutdown(): void {
    this.#feed({ kind: 'shutdown' });
  }

  /** Stops at once: nothing is said or done any more; whoever waits for an answer is told so. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#bootstrapper.close();
    this.#timer?.timer.cancel();
    for (const feed of this.#feeds.values()) feed.close();
    const repliers = [...this.#repliers.values()];
    this.#repliers.clear();
    for (const reply of repliers) reply(undefined);
  }

  describe(): DescribeQuorumReply {
    const unknown = { error: 'NOT_LEADER_OR_FOLLOWER', leaderId: NONE, leaderEpoch: 0 } as const;
    const nothing = { highWatermark: NONE, logEndOffset: 0, voters: [], observers: [] };
    return this.#core?.describe(this.#ports.nowMs()) ?? { ...unknown, ...nothing };
  }

  #establish(state: HardState): void {
    this.#ports.storage.saveHardState(state, (error) => {
      if (error !== undefined) this.#die('sync-failed', error);
      if (this.#isClosed) return;
      this.#hardState = state;
      this.#startCore();
    });
  }

  #startCore(): void {
    const { self, seeksVote, timeouts, endpoints, log, clusterId } = this.#options;
    const hardState = { clusterId, ...this.#hardState };
    const { random, nowMs } = this.#ports;
    const { tailLimits } = this.#options;
    const limits = tailLimits === undefined ? {} : { tailLimits };
    const common = { self, hardState, log, timeouts, random, endpoints };
    const core = new RaftCore({ ...common, ...limits, syncLog: seeksVote }, nowMs());
    this.#core = core;
    for (const listener of this.#listeners) this.#startFeed(listener, core);
    this.#feed({ kind: 'tick' });
  }

  #startFeed(listener: QuorumListener, core: RaftCore): void {
    const feed = new Feed(listener, core, this.#ports.storage, (error) => this.#die('storage', error));
    this.#feeds.set(listener, feed);
    const { leaderId, epoch } = this.status;
    if (epoch > 0) listener.handleLeaderChange(this.#leaderChange(epoch, leaderId));
    feed.pump();
    if (this.#leading !== undefined) feed.handleLeading(this.#leading);
  }

  #feed(input: Input): void {
    if (this.#isClosed || this.#core === undefined) return;
    this.#inbox.push(input);
    this.#drain();
  }

  #drain(): void {
    const core = this.#core;
    if (this.#isDraining || core === undefined) return;
    this.#isDraining = true;
    try {
      while (!this.#isClosed) {
        const effect = this.#effects.shift();
        if (effect !== undefined) {
          this.#carryOut(effect);
          continue;
        }
        const input = this.#inbox.shift();
        if (input === undefined) break;
        for (const next of core.step(input, this.#ports.nowMs())) this.#effects.push(next);
      }
    } catch (error) {
      this.#die('bug', error);
    } finally {
      this.#isDraining = false;
    }
    if (!this.#isClosed) this.#setTimer(core.nextDeadlineMs);
  }

  #carryOut(effect: Effect) {
    switch (effect.kind) {
      case 'save-hard-state':
        this.#hardState = effect.state;
        return this.#ports.storage.saveHardState(effect.state, (error) => {
          this.#saved(effect.token, error);
        });
      case 'write-log':
        return this.#ports.storage.append(effect.entries, effect, (error) => {
          this.#saved(effect.token, error);
        });
      case 'send':
        return this.#send(effect);
      case 'reply':
        return this.#reply(effect.callId, effect.answer);
      case 'read':
        return this.#read(effect);
      case 'committed':
        return this.#forEachFeed((feed) => feed.pump());
      case 'leader-changed':
        return this.#forEachFeed(({ listener }) =>
          listener.handleLeaderChange(this.#leaderChange(effect.epoch, effect.leaderId)),
        );
      case 'leading':
        this.#leading = effect;
        return this.#forEachFeed((feed) => feed.handleLeading(effect));
      case 'not-leading':
        this.#leading = undefined;
        return this.#forEachFeed((feed) => feed.handleNotLeading());
      case 'role-changed':
        return this.#logRole(effect);
      case 'truncated':
        return this.#ports.logger.info(
          { offset: effect.offset, endOffset: effect.endOffset },
          'cut entries that were never committed',
        );
      default:
        return assertNever(effect);
    }
  }

  #forEachFeed(visit: (feed: Feed) => void): void {
    for (const feed of [...this.#feeds.values()]) visit(feed);
  }

  #leaderChange(epoch: QuorumEpoch, leaderId: NodeId): LeaderChanged {
    const leaderEndpoint = this.#options.endpoints.get(leaderId);
    return leaderEndpoint === undefined ? { epoch, leaderId } : { epoch, leaderId, leaderEndpoint };
  }

  #logRole({ from, to, epoch, reason }: Extract<Effect, { kind: 'role-changed' }>): void {
    this.#ports.logger.info({ from, role: to, epoch, reason }, 'quorum role changed');
  }

  #saved(token: Extract<Input, { kind: 'persisted' }>['token'], error: unknown): void {
    if (error !== undefined) this.#die('sync-failed', error);
    else this.#feed({ kind: 'persisted', token });
  }

  #send({ to, requestId, message, timeoutMs }: Extract<Effect, { kind: 'send' }>): void {
    this.#ports.calls.call(to, message, timeoutMs, (result) => {
      if (result.kind === 'answer') this.#feed({ kind: 'reply', requestId, answer: result.answer });
      else this.#feed({ kind: 'failed', requestId, disconnected: result.disconnected });
    });
  }

  #reply(callId: number, answer: QuorumAnswer): void {
    const reply = this.#repliers.get(callId);
    assert(reply !== undefined, 'a call is answered once', { callId });
    this.#repliers.delete(callId);
    reply(answer);
  }

  #read({ callId, from, to, maxBytes }: Extract<Effect, { kind: 'read' }>): void {
    this.#ports.storage.read(from, to, maxBytes, (result) => {
      if (result.kind === 'failed') this.#die('storage', result.error);
      else this.#feed({ kind: 'read', callId, entries: result.entries });
    });
  }

  /** An earlier timer stays: its tick does nothing and sets the next. So a timer that is pushed on costs nothing. */
  #setTimer(atMs: MonotonicMs): void {
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, atMs - this.#ports.nowMs()) + TIMER_SLACK_MS;
    const timer = this.#ports.timers.after(delayMs, () => {
      this.#timer = undefined;
      this.#feed({ kind: 'tick' });
    });
    this.#timer = { timer, atMs };
  }

  #die(reason: 'bug' | 'sync-failed' | 'storage', error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#ports.logger.error({ reason, error: String(error) }, 'the quorum node cannot go on');
    this.#ports.exit.fatal(reason, error);
  }
}

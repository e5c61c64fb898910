/**
 * Keeps partitions fetched ahead of the reader, within `prefetchBytes`: fetches to leaders, answers into
 * partition states, positions looked up, errors waited out. What cannot be waited out ends in `onFailure`.
 */
import { ApiError, type ErrorName, type MonotonicMs, type NodeId } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import type { FetchPartitionReply, FetchReply, FetchRequest } from '../../rpc/api/index.ts';
import { type Backoff, backoffMs } from '../backoff.ts';
import { BrokerStream } from '../cluster/broker-stream.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { toApiError } from '../failure.ts';
import type { ConsumerConfig } from './options.ts';
import type { PartitionState } from './partition-state.ts';
import { Positions } from './positions.ts';

export interface FetcherEvents {
  /** Some partition has records, has reached its limit, or found its position. */
  readonly onProgress: () => void;
  readonly onFailure: (error: ApiError) => void;
}

/** A partition of a fetch, as of one turn. */
interface Entry {
  readonly state: PartitionState;
  readonly turn: number;
}

type Channel = BrokerStream<FetchRequest, FetchReply, readonly Entry[]>;

const RETRY: Backoff = { firstMs: 50, maxMs: 1000, factor: 2 };
/**
 * Fetches that wait at one broker, each for other partitions, so that an idle partition does not hold up the
 * others.
 */
const FETCHES_IN_FLIGHT_MAX = 8;
/** Between two looks for late fetches, at least. */
const SWEEP_MS = 500;
/** Beyond what it may wait, a fetch without an answer for so long makes us ask who leads. */
const SLOW_MS = 1500;
/** Fetched ahead of the reader, of one partition, in fetches: one that is read, one that comes. */
const FETCHES_AHEAD = 2;

export class Fetcher {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #states: readonly PartitionState[];
  readonly #events: FetcherEvents;
  readonly #positions: Positions;
  readonly #channels = new Map<NodeId, Channel>();
  readonly #stopMetadata: () => void;
  readonly #closing = new AbortController();
  #turn = 0;
  #pumping = false;
  #wake: Timer | undefined;
  #sweep: Timer | undefined;

  constructor(
    cluster: Cluster,
    config: ConsumerConfig,
    states: readonly PartitionState[],
    events: FetcherEvents,
  ) {
    this.#cluster = cluster;
    this.#config = config;
    this.#states = states;
    this.#events = events;
    this.#positions = new Positions(cluster, config, this.#closing.signal, {
      onFound: () => {
        events.onProgress();
        this.wake();
      },
      onFailure: events.onFailure,
      onDelayed: (state) => {
        this.#backOff(state);
        this.wake();
      },
    });
    this.#stopMetadata = cluster.onMetadata(() => this.#handleMetadata());
    this.#sweepLater();
  }

  /**
   * Looks soon for partitions to fetch; call it when the reader has taken something or a state has changed.
   */
  wake(): void {
    if (this.#pumping || this.#closing.signal.aborted) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      if (!this.#closing.signal.aborted) this.#pump();
    });
  }

  close(): void {
    this.#closing.abort();
    this.#stopMetadata();
    this.#wake?.cancel();
    this.#sweep?.cancel();
    for (const channel of this.#channels.values()) channel.close();
  }

  #pump(): void {
    const nowMs = this.#cluster.environment.clock.monotonicMs();
    const fetches = new Map<Channel, Entry[]>();
    const count = this.#states.length;
    let roomBytes = this.#config.prefetchBytes - this.#bufferedBytes();
    let wakeAtMs = Infinity;
    this.#turn = (this.#turn + 1) % Math.max(1, count);
    for (let step = 0; step < count && roomBytes > 0; step++) {
      const state = this.#states[(step + this.#turn) % count] as PartitionState;
      if (state.busy || state.paused || this.#isAhead(state)) continue;
      const readyAtMs = this.#offer(state, fetches, nowMs);
      if (readyAtMs > nowMs) wakeAtMs = Math.min(wakeAtMs, readyAtMs);
      else roomBytes -= this.#config.maxPartitionBytes;
    }
    for (const [channel, entries] of fetches) this.#fetch(channel, entries);
    this.#wake?.cancel();
    this.#wake =
      wakeAtMs === Infinity
        ? undefined
        : this.#cluster.environment.timers.after(wakeAtMs - nowMs, () => this.wake());
  }

  #bufferedBytes(): number {
    let bytes = 0;
    for (const state of this.#states)
      bytes += state.bufferedBytes + (state.busy ? this.#config.maxPartitionBytes : 0);
    return bytes;
  }

  #isAhead(state: PartitionState): boolean {
    if (state.start !== undefined) return false;
    if (state.isFetchedToLimit) return true;
    return state.bufferedBytes > (FETCHES_AHEAD - 1) * this.#config.maxPartitionBytes;
  }

  #offer(state: PartitionState, fetches: Map<Channel, Entry[]>, nowMs: MonotonicMs): MonotonicMs {
    if (state.start !== undefined) {
      if (state.retryAtMs > nowMs) return state.retryAtMs;
      this.#positions.find(state, state.start);
      return nowMs;
    }
    const leader = this.#cluster.findLeader(state.topic, state.partition);
    if (leader === undefined) {
      this.#cluster.requestRefresh();
      return Infinity;
    }
    if (leader.leaderEpoch > state.triedEpoch) state.retryAtMs = 0;
    else if (state.searching) this.#cluster.requestRefresh();
    if (state.retryAtMs > nowMs) return state.retryAtMs;
    const channel = this.#channelTo(leader.nodeId);
    const channelReadyMs = channel.readyAtMs();
    if (channelReadyMs > nowMs) return channelReadyMs;
    state.triedEpoch = leader.leaderEpoch;
    state.busy = true;
    const entries = fetches.get(channel) ?? [];
    entries.push({ state, turn: state.turn });
    fetches.set(channel, entries);
    return nowMs;
  }

  #fetch(channel: Channel, entries: readonly Entry[]): void {
    const { maxWaitMs, minBytes, maxBytes, maxPartitionBytes, isolation } = this.#config;
    const { clientId } = this.#cluster;
    const partitions = entries.map(({ state }) => ({
      topic: state.topic,
      partition: state.partition,
      fetchOffset: state.fetchOffset,
      currentLeaderEpoch: state.triedEpoch,
      maxBytes: maxPartitionBytes,
    }));
    channel.send(entries, (correlationId) => ({
      correlationId,
      clientId,
      maxWaitMs,
      minBytes,
      maxBytes,
      isolation,
      partitions,
      plain: false,
      forwarded: false,
    }));
  }

  #handleReply(entries: readonly Entry[], reply: FetchReply): void {
    const answers = new Map(
      reply.partitions.map((answer) => [`${answer.partition}/${answer.topic}`, answer]),
    );
    for (const { state, turn } of entries) {
      if (state.turn !== turn) continue;
      state.busy = false;
      const answer = answers.get(`${state.partition}/${state.topic}`);
      if (answer !== undefined) this.#handleAnswer(state, answer);
    }
    this.#events.onProgress();
    this.wake();
  }

  #handleAnswer(state: PartitionState, answer: FetchPartitionReply): void {
    const error = answer.error === 'NONE' ? this.#accept(state, answer) : refusal(answer);
    if (error === undefined) return;
    if (error.code === 'OFFSET_OUT_OF_RANGE') {
      // What was fetched ahead is still good; only beyond it the log begins later, or ends sooner, than
      // believed.
      if (state.hasFetched) this.#backOff(state);
      else this.#positions.mend(state);
    } else if (error.retriable) {
      const moved =
        answer.currentLeader !== undefined &&
        this.#cluster.learnLeader(state.topic, state.partition, answer.currentLeader);
      state.searching = !moved && error.code !== PLAIN_WAIT;
      if (state.searching) this.#cluster.requestRefresh();
      this.#backOff(state);
    } else this.#events.onFailure(error);
  }

  #accept(state: PartitionState, answer: FetchPartitionReply): ApiError | undefined {
    try {
      state.accept(answer, this.#config.checkCrcs);
      return undefined;
    } catch (error) {
      this.#events.onFailure(toApiError(error, 'reading a fetch reply'));
      return undefined;
    }
  }

  #backOff(state: PartitionState): void {
    const { clock, random } = this.#cluster.environment;
    state.failures++;
    state.retryAtMs = clock.monotonicMs() + backoffMs(state.failures, RETRY, random);
  }

  #handleBroken(fetches: readonly (readonly Entry[])[]): void {
    for (const { state, turn } of fetches.flat()) {
      if (state.turn !== turn) continue;
      state.giveUp();
      state.searching = true;
      this.#backOff(state);
    }
    this.#cluster.requestRefresh();
    this.wake();
  }

  /** Fetches that wait at a broker that leads no more are asked again of the new leader. */
  #handleMetadata(): void {
    for (const channel of this.#channels.values()) {
      for (const { item } of channel.pending) {
        for (const { state, turn } of item) {
          const leader = this.#cluster.findLeader(state.topic, state.partition);
          if (state.turn === turn && leader !== undefined && leader.nodeId !== channel.nodeId) state.giveUp();
        }
      }
    }
    this.wake();
  }

  #channelTo(nodeId: NodeId): Channel {
    const known = this.#channels.get(nodeId);
    if (known !== undefined) return known;
    const { clock, random } = this.#cluster.environment;
    const channel: Channel = new BrokerStream({
      nodeId,
      maxInFlight: FETCHES_IN_FLIGHT_MAX,
      reconnectBackoff: RETRY,
      random,
      nowMs: () => clock.monotonicMs(),
      connect: () => this.#cluster.findConnection(nodeId),
      open: ({ broker }, replies) => broker.fetchStream(replies, {}),
      onReply: (entries, reply) => this.#handleReply(entries, reply),
      onBroken: (fetches) => this.#handleBroken(fetches),
      onRoom: () => this.wake(),
    });
    this.#channels.set(nodeId, channel);
    return channel;
  }

  /** When the oldest fetch can be late: one that is sent after it is late after it. */
  #sweepLater(): void {
    const { clock, timers } = this.#cluster.environment;
    const { maxWaitMs, requestTimeoutMs } = this.#config;
    const beganMs = clock.monotonicMs();
    let sentMs = beganMs;
    for (const { pending } of this.#channels.values()) {
      const [oldest] = pending;
      sentMs = Math.min(sentMs, oldest?.sentMs ?? beganMs);
    }
    const lateAtMs = sentMs + maxWaitMs + Math.min(SLOW_MS, requestTimeoutMs);
    this.#sweep = timers.after(Math.max(SWEEP_MS, lateAtMs - beganMs), () => {
      const nowMs = clock.monotonicMs();
      for (const channel of this.#channels.values()) {
        const [oldest] = channel.pending;
        const lateMs = oldest === undefined ? 0 : nowMs - oldest.sentMs - maxWaitMs;
        if (lateMs > requestTimeoutMs) channel.break(overdue(channel.nodeId, requestTimeoutMs));
        else if (lateMs > SLOW_MS) this.#cluster.requestRefresh();
      }
      this.#sweepLater();
    });
  }
}

/** The leader is new and knows its high watermark soon: asking who leads would not help. */
const PLAIN_WAIT: ErrorName = 'OFFSET_NOT_AVAILABLE';

function overdue(nodeId: NodeId, timeoutMs: number): Error {
  return new ApiError('REQUEST_TIMED_OUT', `broker ${nodeId} did not answer a fetch within ${timeoutMs} ms`);
}

function refusal(answer: FetchPartitionReply): ApiError | undefined {
  return answer.error === 'NONE' ? undefined : new ApiError(answer.error, answer.errorMessage);
}

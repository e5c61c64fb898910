/**
 * The cluster as one client sees it: connections, metadata kept fresh, and calls that any broker may answer.
 *
 * One metadata request is in flight at a time and whoever wants one joins it. Looks for a new leader follow
 * one another by LEADER_SEARCH_BACKOFF; the first is at once. Owns the connections; leaves leaders' streams
 * to producer and consumer.
 */
import { ApiError, type LeaderEpoch, type MonotonicMs, type NodeId } from '../../base/index.ts';
import { sleep, type Timer } from '../../env/index.ts';
import {
  type Address,
  type CallOptions,
  type Connection,
  type CurrentLeader,
  formatAddress,
  type MetadataReply,
  type Transport,
} from '../../rpc/api/index.ts';
import { type Backoff, backoffMs, LEADER_SEARCH_BACKOFF } from '../backoff.ts';
import type { ClientEnvironment } from '../client-environment.ts';
import { isTransient, messageOf, toApiError } from '../failure.ts';
import { Candidates } from './candidates.ts';
import { MetadataCache, type TopicMetadata } from './metadata-cache.ts';

export interface ClusterOptions {
  readonly bootstrap: readonly Address[];
  readonly transport: Transport;
  readonly environment: ClientEnvironment;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
  readonly retryBackoff: Backoff;
}

export interface AskOptions {
  /** For all attempts together. */
  readonly timeoutMs: number;
  /** For one broker, before the next is asked. Default: what is left. */
  readonly attemptMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A broker that does not say a word about metadata within this is passed over for the next. */
const METADATA_ATTEMPT_MS = 1500;
/**
 * After so long without a look a new search begins, with short waits. Longer than any wait within a search.
 */
const SEARCH_PAUSE_MS = 2000;
/** A topic that the brokers do not know for so long does not exist: their metadata lag by less. */
const UNKNOWN_TOPIC_GRACE_MS = 1000;

export class Cluster {
  readonly environment: ClientEnvironment;
  readonly clientId: string;
  readonly #options: ClusterOptions;
  readonly #candidates: Candidates;
  readonly #metadata = new MetadataCache();
  readonly #connections = new Map<string, Connection>();
  readonly #wanted = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #refreshing: Promise<void> | undefined;
  #search: Timer | undefined;
  #aging: Timer | undefined;
  /** Looks in a row that brought no news. */
  #fruitless = 0;
  #refreshedMs: MonotonicMs = -Infinity;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.environment = options.environment;
    this.clientId = options.clientId;
    this.#candidates = new Candidates(options.bootstrap, options.environment.random.integer(0, 1 << 16));
  }

  /** The topic as last heard of. Nothing is asked. */
  findTopic(name: string): TopicMetadata | undefined {
    return this.#metadata.findTopic(name);
  }

  /** Who leads, as last heard; undefined: nobody or unknown. */
  findLeader(topic: string, partition: number): { nodeId: NodeId; leaderEpoch: LeaderEpoch } | undefined {
    return this.#metadata.findLeader(topic, partition);
  }

  /** The connection to a broker whose address is known. */
  findConnection(nodeId: NodeId): Connection | undefined {
    const address = this.#metadata.findAddress(nodeId);
    return address === undefined ? undefined : this.#connect(address);
  }

  /** A refusal named the leader: routing follows at once. */
  learnLeader(topic: string, partition: number, leader: CurrentLeader): boolean {
    const moved = this.#metadata.learnLeader(topic, partition, leader);
    if (moved) this.#fruitless = 0;
    return moved;
  }

  /** Calls `listener` after each metadata answer, also one without news. Returns how to stop. */
  onMetadata(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Metadata of `name`, asked for when unknown. Waits out brokers that do not know it yet;
   * UNKNOWN_TOPIC_OR_PARTITION after a second of that (or half of `timeoutMs`), BROKER_NOT_AVAILABLE or REQUEST_TIMED_OUT when nobody
   * answers within `timeoutMs`.
   */
  async topic(name: string, timeoutMs: number, signal?: AbortSignal): Promise<TopicMetadata> {
    const { clock, timers } = this.environment;
    const startMs = clock.monotonicMs();
    this.#wanted.add(name);
    for (let failures = 0; ; failures++) {
      const found = this.#metadata.findTopic(name);
      if (found !== undefined) return found;
      this.#assertOpen();
      await sleep(timers, backoffMs(failures, this.#options.retryBackoff, this.environment.random), signal);
      const waitedMs = clock.monotonicMs() - startMs;
      const reply = await this.#askMetadata([name], { timeoutMs: Math.max(1, timeoutMs - waitedMs), signal });
      const problem = reply.topics.find((topic) => topic.name === name);
      if (problem === undefined || problem.error === 'NONE') continue;
      const graceMs = Math.min(UNKNOWN_TOPIC_GRACE_MS, timeoutMs / 2);
      const lasting = problem.error !== 'UNKNOWN_TOPIC_OR_PARTITION' || waitedMs >= graceMs;
      if (!lasting) continue;
      this.#wanted.delete(name);
      throw new ApiError(
        problem.error,
        problem.errorMessage ?? `there is no topic "${name}"; create it first`,
      );
    }
  }

  /** Asks for a look at the metadata soon; many requests make one look. Listeners hear when it is done. */
  requestRefresh(): void {
    if (this.#search !== undefined || this.#refreshing !== undefined || this.#closing.signal.aborted) return;
    const sinceMs = this.environment.clock.monotonicMs() - this.#refreshedMs;
    if (sinceMs > SEARCH_PAUSE_MS) this.#fruitless = 0;
    const delayMs = backoffMs(this.#fruitless, LEADER_SEARCH_BACKOFF, this.environment.random);
    this.#search = this.environment.timers.after(delayMs, () => {
      this.#search = undefined;
      this.#refreshing = this.#refresh().finally(() => {
        this.#refreshing = undefined;
        this.#refreshedMs = this.environment.clock.monotonicMs();
        for (const listener of this.#listeners) listener();
      });
    });
  }

  /**
   * Calls one broker after another until one answers; refusals that cannot be cured by waiting are thrown at
   * once.
   */
  async ask<T>(
    what: string,
    call: (connection: Connection, options: CallOptions) => Promise<T>,
    options: AskOptions,
  ): Promise<T> {
    const { clock, timers, random } = this.environment;
    const deadlineMs = clock.monotonicMs() + options.timeoutMs;
    const signal = options.signal ?? this.#closing.signal;
    // A broker that refused knows more than one that did not answer: its words outlive later silence.
    let last: unknown;
    for (let rounds = 1; ; rounds++) {
      for (const address of this.#candidates.inOrder()) {
        this.#assertOpen();
        signal.throwIfAborted();
        const leftMs = deadlineMs - clock.monotonicMs();
        if (leftMs <= 0) break;
        const timeoutMs = Math.max(1, Math.min(leftMs, options.attemptMs ?? leftMs));
        try {
          const reply = await call(this.#connect(address), { timeoutMs, signal });
          this.#candidates.answered(address);
          return reply;
        } catch (error) {
          signal.throwIfAborted();
          if (!isTransient(error)) throw toApiError(error, what);
          if (error instanceof ApiError || !(last instanceof ApiError)) last = error;
          if (!(error instanceof ApiError)) this.#candidates.failed(address, clock.monotonicMs());
        }
      }
      const waitMs = backoffMs(rounds, this.#options.retryBackoff, random);
      if (clock.monotonicMs() + waitMs >= deadlineMs) throw this.#gaveUp(what, options.timeoutMs, last);
      this.environment.logger.debug({ what, error: messageOf(last) }, 'asking again');
      await sleep(timers, waitMs, signal);
    }
  }

  close(): void {
    this.#closing.abort(new ApiError('BROKER_NOT_AVAILABLE', 'the client is closed'));
    this.#search?.cancel();
    this.#aging?.cancel();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #gaveUp(what: string, timeoutMs: number, last: unknown): ApiError {
    const asked = this.#candidates.inOrder().map(formatAddress).join(', ');
    const why = last === undefined ? 'no time was left' : messageOf(last);
    const message = `${what} did not succeed within ${Math.round(timeoutMs)} ms; asked ${asked}; last: ${why}`;
    const code = last === undefined ? 'REQUEST_TIMED_OUT' : toApiError(last, what).code;
    return new ApiError(code, message);
  }

  async #refresh(): Promise<void> {
    if (this.#wanted.size === 0) return;
    this.#fruitless++;
    try {
      await this.#askMetadata([...this.#wanted], { timeoutMs: this.#options.requestTimeoutMs });
    } catch (error) {
      if (!this.#closing.signal.aborted)
        this.environment.logger.warn({ error: messageOf(error) }, 'metadata could not be refreshed');
    }
  }

  async #askMetadata(topics: readonly string[], options: AskOptions): Promise<MetadataReply> {
    const reply = await this.ask(
      'asking for metadata',
      (connection, callOptions) => connection.broker.metadata({ topics }, callOptions),
      { ...options, attemptMs: METADATA_ATTEMPT_MS },
    );
    if (this.#metadata.apply(reply, this.environment.clock.monotonicMs())) this.#fruitless = 0;
    this.#candidates.learn(reply.brokers.map((broker) => broker.address));
    this.#watchAge();
    return reply;
  }

  #watchAge(): void {
    this.#aging?.cancel();
    if (this.#closing.signal.aborted) return;
    this.#aging = this.environment.timers.after(this.#options.metadataMaxAgeMs, () => {
      this.#fruitless = 0;
      this.requestRefresh();
    });
  }

  #connect(address: Address): Connection {
    const key = formatAddress(address);
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      connection = this.#options.transport.connect(address);
      this.#connections.set(key, connection);
    }
    return connection;
  }

  #assertOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}

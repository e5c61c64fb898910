/**
 * A request stream to one broker: requests out, answers back by correlation id in any order, opened again
 * after a break.
 *
 * Every request that was sent ends in exactly one of `onReply` and `onBroken`; an answer of a stream that was
 * given up is dropped.
 */
import { EnvironmentError, type MonotonicMs, type NodeId, type Random } from '../../base/index.ts';
import type { Connection, Sink } from '../../rpc/api/index.ts';
import { type Backoff, backoffMs } from '../backoff.ts';

/** A request without an answer, and what it was about. */
export interface Pending<Item> {
  readonly item: Item;
  readonly sentMs: MonotonicMs;
}

export interface BrokerStreamOptions<Request, Reply, Item> {
  readonly nodeId: NodeId;
  /** Requests without an answer, at most. */
  readonly maxInFlight: number;
  readonly reconnectBackoff: Backoff;
  readonly random: Random;
  readonly nowMs: () => MonotonicMs;
  /** undefined: nobody knows where the broker listens. */
  readonly connect: () => Connection | undefined;
  readonly open: (connection: Connection, replies: Sink<Reply>) => Sink<Request>;
  readonly onReply: (item: Item, reply: Reply) => void;
  /** `sent`: the requests may have reached the broker. */
  readonly onBroken: (items: readonly Item[], error: Error, sent: boolean) => void;
  /** There is room for another request. */
  readonly onRoom: () => void;
}

interface Stream<Request, Item> {
  sink: Sink<Request> | undefined;
  readonly pending: Map<number, Pending<Item>>;
  onEnded: (() => void) | undefined;
}

export class BrokerStream<
  Request extends { readonly correlationId: number },
  Reply extends { readonly correlationId: number },
  Item,
> {
  readonly nodeId: NodeId;
  readonly #options: BrokerStreamOptions<Request, Reply, Item>;
  #stream: Stream<Request, Item> | undefined;
  #blocked = false;
  #correlationId = 0;
  #failures = 0;
  #retryAtMs: MonotonicMs = 0;

  constructor(options: BrokerStreamOptions<Request, Reply, Item>) {
    this.#options = options;
    this.nodeId = options.nodeId;
  }

  /**
   * When a request may be sent, as far as time decides; Infinity: after an answer, or once the stream has
   * drained.
   */
  readyAtMs(): MonotonicMs {
    if (this.#blocked || (this.#stream?.pending.size ?? 0) >= this.#options.maxInFlight) return Infinity;
    return this.#stream === undefined ? this.#retryAtMs : 0;
  }

  /** Without an answer, oldest first. */
  get pending(): Iterable<Pending<Item>> {
    return this.#stream?.pending.values() ?? [];
  }

  /** `answered` false: no answer will come, and neither `onReply` nor, once it is handed over, `onBroken`. */
  send(item: Item, request: (correlationId: number) => Request, answered = true): void {
    const stream = this.#stream ?? this.#open(item);
    if (stream?.sink === undefined) return;
    const correlationId = ++this.#correlationId;
    if (answered) stream.pending.set(correlationId, { item, sentMs: this.#options.nowMs() });
    if (!stream.sink.send(request(correlationId))) this.#awaitRoom(stream);
  }

  /** Gives the stream up. */
  break(error: Error): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#ended(stream, error);
    stream.sink?.end(error);
  }

  close(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.sink?.end();
  }

  /** {@link close}; resolves when the broker has read everything and ended its side, or the stream broke. */
  finish(): Promise<void> {
    const stream = this.#stream;
    if (stream?.sink === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      stream.onEnded = resolve;
      this.close();
    });
  }

  #open(item: Item): Stream<Request, Item> | undefined {
    const { nodeId } = this;
    const connection = this.#options.connect();
    if (connection === undefined) {
      const unknown = `the address of broker ${nodeId} is not known`;
      this.#fail([item], new EnvironmentError('unreachable', `broker ${nodeId}`, unknown), false);
      return undefined;
    }
    const stream: Stream<Request, Item> = { sink: undefined, pending: new Map(), onEnded: undefined };
    this.#stream = stream;
    this.#blocked = false;
    let ended: Error | undefined;
    stream.sink = this.#options.open(connection, {
      send: (reply) => {
        this.#answered(stream, reply);
        return true;
      },
      drained: () => Promise.resolve(),
      end: (error) => {
        ended =
          error ??
          new EnvironmentError('disconnected', `broker ${nodeId}`, `broker ${nodeId} ended the stream`);
        stream.onEnded?.();
        this.#ended(stream, ended);
      },
    });
    if (ended === undefined) return stream;
    this.#fail([item], ended, false);
    return undefined;
  }

  #answered(stream: Stream<Request, Item>, reply: Reply): void {
    const pending = stream.pending.get(reply.correlationId);
    if (pending === undefined || stream !== this.#stream) return;
    stream.pending.delete(reply.correlationId);
    this.#failures = 0;
    this.#options.onReply(pending.item, reply);
  }

  #ended(stream: Stream<Request, Item>, error: Error): void {
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    this.#blocked = false;
    if (stream.sink === undefined) return;
    this.#fail(
      [...stream.pending.values()].map(({ item }) => item),
      error,
      true,
    );
  }

  #fail(items: readonly Item[], error: Error, sent: boolean): void {
    const { random, reconnectBackoff, nowMs } = this.#options;
    this.#failures++;
    this.#retryAtMs = nowMs() + backoffMs(this.#failures, reconnectBackoff, random);
    this.#options.onBroken(items, error, sent);
  }

  #awaitRoom(stream: Stream<Request, Item>): void {
    this.#blocked = true;
    const open = (): void => {
      if (stream !== this.#stream) return;
      this.#blocked = false;
      this.#options.onRoom();
    };
    stream.sink?.drained().then(open, () => {});
  }
}

import { ApiError } from '../../base/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { toApiError } from '../failure.ts';
import type { Acknowledgement, RecordInput } from '../types.ts';
import { Delivery } from './delivery.ts';
import { type ProducerConfig, type ProducerOptions, producerConfig } from './options.ts';
import { Sender } from './sender.ts';
import { assertTopicName, type PendingSend, TopicLane } from './topic-lane.ts';

export interface SendOptions {
  /** Stops waiting. Records that were already handed over may still be written. */
  readonly signal?: AbortSignal;
}

/** How often sends that wait for room or metadata are checked against `maxBlockMs`. */
const BLOCKED_SWEEP_MS = 500;

/**
 * Sends records. Safe to share; records sent to one partition by calls that follow one another keep their
 * order, retries included.
 *
 * Errors of `send` are {@link ApiError}: `definite` tells that nothing was written; otherwise the message
 * says that the records may or may not have been written. With idempotence (the default) an acknowledged
 * record is in the log exactly once.
 */
export class Producer implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #sender: Sender;
  readonly #lanes = new Map<string, TopicLane>();
  /** Lanes with sends that wait. */
  readonly #blocked = new Set<TopicLane>();
  readonly #open = new Set<Delivery>();
  readonly #onClosed: (producer: Producer) => void;
  #closed = false;
  #admitting = false;
  #sweeping = false;
  #unhurry: (() => void) | undefined;

  /** Use `client.producer()`. */
  constructor(cluster: Cluster, options: ProducerOptions, onClosed: (producer: Producer) => void) {
    this.#cluster = cluster;
    this.#config = producerConfig(options);
    this.#onClosed = onClosed;
    this.#sender = new Sender(cluster, this.#config, () => this.#admitBlocked());
  }

  /** Resolves when the record is acknowledged as `acks` asks, with where it is. */
  send(topic: string, record: RecordInput, options?: SendOptions): Promise<Acknowledgement>;
  /**
   * Resolves when all records are acknowledged, with where they are: one entry per run of records that lie
   * together, in no particular order. Far cheaper than a call per record. When some fail, the first error is
   * thrown once all are settled.
   */
  send(topic: string, records: readonly RecordInput[], options?: SendOptions): Promise<Acknowledgement[]>;
  send(
    topic: string,
    input: RecordInput | readonly RecordInput[],
    options: SendOptions = {},
  ): Promise<Acknowledgement | Acknowledgement[]> {
    if (isList(input)) return this.#send(topic, input, options.signal);
    return this.#send(topic, [input], options.signal).then(([only]) => only as Acknowledgement);
  }

  /** Resolves when everything sent before is settled, well or not. Nothing lingers meanwhile. */
  async flush(): Promise<void> {
    const done = this.#sender.hurry();
    try {
      await Promise.allSettled([...this.#open].map((delivery) => delivery.promise));
    } finally {
      done();
    }
  }

  /** Flushes for at most `timeoutMs` (default: no bound but the delivery timeout), then gives up the rest. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { timeoutMs } = options;
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#cluster.environment.timers.after(timeoutMs, () => this.#giveUp());
    await this.flush();
    await this.#sender.finish();
    timer?.cancel();
    this.#giveUp();
    this.#onClosed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(
    topic: string,
    records: readonly RecordInput[],
    signal: AbortSignal | undefined,
  ): Promise<Acknowledgement[]> {
    if (this.#closed) return Promise.reject(new ApiError('INVALID_REQUEST', 'the producer is closed'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      try {
        assertTopicName(topic);
      } catch (error) {
        return Promise.reject(error);
      }
      lane = new TopicLane(topic, this.#cluster, this.#config, this.#sender);
      this.#lanes.set(topic, lane);
    }
    const { clock } = this.#cluster.environment;
    const delivery = new Delivery((settled) => this.#open.delete(settled));
    this.#open.add(delivery);
    const sinceMs = clock.monotonicMs();
    const send: PendingSend = { records, next: 0, delivery, sinceMs };
    const free = lane.pending.length === 0 && lane.isReady;
    if (!free || !lane.admit(send, sinceMs, clock.wallMs())) this.#block(lane, send);
    if (signal !== undefined) this.#watch(signal, delivery);
    return delivery.promise;
  }

  #watch(signal: AbortSignal, delivery: Delivery): void {
    const abort = (): void => delivery.abandon(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const forget = (): void => signal.removeEventListener('abort', abort);
    delivery.promise.then(forget, forget);
  }

  #block(lane: TopicLane, send: PendingSend): void {
    lane.pending.push(send);
    this.#blocked.add(lane);
    if (!lane.isReady) this.#prepare(lane);
    else this.#unhurry ??= this.#sender.hurry();
    this.#sweepLater();
  }

  #prepare(lane: TopicLane): void {
    if (lane.preparing) return;
    lane.preparing = true;
    this.#cluster.topic(lane.topic, this.#config.maxBlockMs).then(
      () => {
        lane.preparing = false;
        this.#admitBlocked();
      },
      (error: unknown) => {
        lane.preparing = false;
        if (!lane.isUsed) this.#lanes.delete(lane.topic);
        this.#blocked.delete(lane);
        const refusal = toApiError(error, `sending to ${lane.topic}`);
        for (const { delivery } of lane.pending.splice(0)) delivery.abandon(refusal);
      },
    );
  }

  /** Lets waiting sends in, as far as there is room. */
  #admitBlocked(): void {
    if (this.#admitting || this.#blocked.size === 0) return;
    this.#admitting = true;
    const { clock } = this.#cluster.environment;
    for (const lane of this.#blocked) {
      if (!lane.isReady) {
        this.#prepare(lane);
        continue;
      }
      while (lane.pending.length > 0) {
        const send = lane.pending[0] as PendingSend;
        if (!send.delivery.settled && !lane.admit(send, clock.monotonicMs(), clock.wallMs())) break;
        lane.pending.shift();
      }
      if (lane.pending.length === 0) this.#blocked.delete(lane);
    }
    this.#admitting = false;
    if (this.#blocked.size > 0) return;
    this.#unhurry?.();
    this.#unhurry = undefined;
  }

  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#cluster.environment.timers.after(Math.min(BLOCKED_SWEEP_MS, this.#config.maxBlockMs), () => {
      this.#sweeping = false;
      this.#expireBlocked();
      if (this.#blocked.size > 0) this.#sweepLater();
    });
  }

  /** A send none of whose records got in within `maxBlockMs` is refused. */
  #expireBlocked(): void {
    const { maxBlockMs, bufferMemory } = this.#config;
    const oldestMs = this.#cluster.environment.clock.monotonicMs() - maxBlockMs;
    const held = `${this.#sender.bufferedBytes} of ${bufferMemory} bytes of bufferMemory`;
    for (const lane of this.#blocked) {
      // It has a bound of its own, and better words.
      if (lane.preparing) continue;
      for (const send of lane.pending) {
        if (send.sinceMs > oldestMs || send.next > 0) continue;
        const message = `no room for records of ${lane.topic} within ${maxBlockMs} ms: ${held} are taken`;
        send.delivery.abandon(new ApiError('RESOURCE_EXHAUSTED', message));
      }
    }
    this.#admitBlocked();
  }

  #giveUp(): void {
    const closed = new ApiError(
      'BROKER_NOT_AVAILABLE',
      'the records were not written: the producer was closed',
    );
    for (const lane of this.#blocked)
      for (const { delivery } of lane.pending.splice(0)) delivery.abandon(closed);
    this.#blocked.clear();
    this.#sender.close();
  }
}

function isList(input: RecordInput | readonly RecordInput[]): input is readonly RecordInput[] {
  return Array.isArray(input);
}

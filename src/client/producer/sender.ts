/**
 * Moves batches from the queues of partitions to their leaders and judges the answers.
 *
 * `drain` is the only place that sends; it runs soon after anything that may have made a batch sendable: a
 * record, an answer, news of a leader, room in a stream, a timer. A frame holds at most one batch of a
 * partition.
 */
import { ApiError, type MonotonicMs, type NodeId } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import type { ProduceReply, ProduceRequest } from '../../rpc/api/index.ts';
import type { Backoff } from '../backoff.ts';
import { BrokerStream } from '../cluster/broker-stream.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ProducerIdentity } from './identity.ts';
import { IdentitySource } from './identity-source.ts';
import type { ProducerConfig } from './options.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { MISSING_ANSWER, Settlement, UNACKNOWLEDGED } from './settlement.ts';

/** Overdue batches and frames are looked for this often. */
const SWEEP_MS = 250;
/** A frame without an answer for so long makes us ask whether its partitions are led by others now. */
const SLOW_MS = 1500;
/**
 * What of request.timeout.ms the broker may wait for replicas, so that its answer comes before we call the
 * stream dead.
 */
const ACK_TIMEOUT_PART = 0.75;
/** Header, names and numbers of one batch in a frame. */
const ENTRY_OVERHEAD_BYTES = 64;

/** One batch of a frame, as of one attempt. */
interface FrameEntry {
  readonly queue: PartitionQueue;
  readonly batch: ProducerBatch;
  readonly attempt: number;
}

type Frame = readonly FrameEntry[];
type Channel = BrokerStream<ProduceRequest, ProduceReply, Frame>;
/** Frames that a drain is filling. */
type Frames = Map<Channel, { readonly entries: FrameEntry[]; bytes: number }>;

export class Sender {
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #settlement: Settlement;
  readonly #identities: IdentitySource;
  readonly #backoff: Backoff;
  readonly #channels = new Map<NodeId, Channel>();
  /** Queues with batches, in the order in which their turn comes. */
  readonly #busy = new Set<PartitionQueue>();
  readonly #stopMetadata: () => void;
  #draining = false;
  #flushes = 0;
  #wake: Timer | undefined;
  #sweep: Timer | undefined;
  #closed = false;
  #onClosed: (() => void) | undefined;

  /** `onRoom` is called when `bufferedBytes` has fallen. */
  constructor(cluster: Cluster, config: ProducerConfig, onRoom: () => void) {
    this.#cluster = cluster;
    this.#config = config;
    this.#backoff = { firstMs: config.retryBackoffMs, maxMs: config.retryBackoffMaxMs, factor: 2 };
    this.#settlement = new Settlement(cluster, this.#backoff, onRoom);
    this.#identities = new IdentitySource(cluster, config.maxBlockMs, this.#backoff, () => this.wake());
    this.#stopMetadata = cluster.onMetadata(() => this.#handleMetadata());
  }

  /** Bytes of records that are not settled. */
  get bufferedBytes(): number {
    return this.#settlement.bufferedBytes;
  }

  /** Records were added to `queue`. */
  added(queue: PartitionQueue, bytes: number): void {
    this.#settlement.bufferedBytes += bytes;
    if (this.#busy.has(queue)) {
      if (this.#draining) return;
    } else this.#busy.add(queue);
    this.wake();
  }

  /** Drains once the running code has finished, so that what is sent in one go travels together. */
  wake(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    queueMicrotask(() => {
      this.#draining = false;
      if (!this.#closed) this.#drain();
    });
  }

  /** Until the returned function is called nothing lingers. */
  hurry(): () => void {
    this.#flushes++;
    for (const queue of this.#busy) queue.closeTail();
    this.wake();
    return () => {
      this.#flushes--;
    };
  }

  /**
   * Resolves when the brokers have read what nobody answers: with acks=0 the end of the stream is the only word of it.
   * No later than `close`, and than request.timeout.ms.
   */
  async finish(): Promise<void> {
    if (this.#config.acks !== 0 || this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onClosed = resolve;
    const late = this.#cluster.environment.timers.after(this.#config.requestTimeoutMs, resolve);
    const ended = Promise.all([...this.#channels.values()].map((channel) => channel.finish()));
    await Promise.race([ended, promise]);
    late.cancel();
  }

  /** Gives up everything that is left, with `error` for what was never sent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed?.();
    this.#stopMetadata();
    this.#wake?.cancel();
    this.#sweep?.cancel();
    for (const channel of this.#channels.values()) channel.close();
    for (const queue of this.#busy) {
      for (const batch of queue.olderThan(Infinity)) {
        if (queue.inFlight.includes(batch)) batch.doubt ??= 'NETWORK_EXCEPTION';
        this.#settlement.giveUp(queue, batch, 'the producer was closed');
      }
    }
    this.#busy.clear();
  }

  #drain(): void {
    const nowMs = this.#cluster.environment.clock.monotonicMs();
    let wakeAtMs = Infinity;
    for (;;) {
      const frames: Frames = new Map();
      for (const queue of [...this.#busy]) {
        const readyAtMs = this.#offer(queue, frames, nowMs);
        if (readyAtMs > nowMs) wakeAtMs = Math.min(wakeAtMs, readyAtMs);
      }
      if (frames.size === 0) break;
      for (const [channel, { entries }] of frames) this.#send(channel, entries);
    }
    this.#wakeAt(wakeAtMs, nowMs);
    if (this.#busy.size > 0) this.#sweepLater();
  }

  /** Puts the head of `queue` into a frame when it can go now; otherwise says when to look again. */
  #offer(queue: PartitionQueue, frames: Frames, nowMs: MonotonicMs): MonotonicMs {
    if (!queue.hasWaiting) {
      if (queue.isIdle) this.#busy.delete(queue);
      return Infinity;
    }
    const leader = this.#cluster.findLeader(queue.topic, queue.partition);
    if (leader === undefined) {
      this.#cluster.requestRefresh();
      return Infinity;
    }
    if (leader.leaderEpoch > queue.triedEpoch) queue.startAnew();
    else if (queue.searching) this.#cluster.requestRefresh();
    const readyAtMs = queue.readyAtMs(this.#flushes > 0);
    if (readyAtMs > nowMs) return readyAtMs;
    const channel = this.#channelTo(leader.nodeId);
    const channelReadyMs = channel.readyAtMs();
    if (channelReadyMs > nowMs) return channelReadyMs;
    let fresh: ProducerIdentity | undefined;
    if (queue.needsIdentity) {
      fresh = this.#identities.find(queue.producerId);
      if (fresh === undefined) return Infinity;
    }
    const frame = frames.get(channel) ?? { entries: [], bytes: 0 };
    const bytes = (queue.head?.sizeBytes ?? 0) + ENTRY_OVERHEAD_BYTES;
    if (frame.entries.length > 0 && frame.bytes + bytes > this.#config.maxRequestSize) return Infinity;
    const { batch, givenUp } = queue.take(fresh);
    for (const lost of givenUp) this.#settlement.giveUp(queue, lost, GAP);
    queue.triedEpoch = leader.leaderEpoch;
    frame.entries.push({ queue, batch, attempt: batch.attempts });
    frame.bytes += bytes;
    frames.set(channel, frame);
    this.#busy.delete(queue);
    this.#busy.add(queue);
    return Infinity;
  }

  #send(channel: Channel, frame: Frame): void {
    const { acks, requestTimeoutMs } = this.#config;
    const timeoutMs = Math.ceil(requestTimeoutMs * ACK_TIMEOUT_PART);
    const partitions = frame.map(({ queue, batch }) => ({
      topic: queue.topic,
      partition: queue.partition,
      batch: batch.seal(),
    }));
    const { clientId } = this.#cluster;
    channel.send(
      frame,
      (correlationId) => ({
        correlationId,
        clientId,
        acks,
        timeoutMs,
        partitions,
        plain: [],
        forwarded: false,
      }),
      acks !== 0,
    );
    if (acks !== 0) return;
    for (const { queue, batch, attempt } of frame)
      if (queue.awaits(batch, attempt)) this.#settlement.finish(queue, batch, UNACKNOWLEDGED);
  }

  #handleReply(frame: Frame, reply: ProduceReply): void {
    for (let index = 0; index < frame.length; index++) {
      const { queue, batch, attempt } = frame[index] as FrameEntry;
      if (!queue.awaits(batch, attempt)) continue;
      const answer = reply.partitions[index] ?? MISSING_ANSWER;
      this.#settlement.handleAnswer(queue, batch, answer);
    }
    this.wake();
  }

  #handleBroken(frames: readonly Frame[], error: Error, sent: boolean): void {
    for (const { queue, batch, attempt } of frames.flat()) {
      if (!queue.awaits(batch, attempt)) continue;
      this.#settlement.again(queue, batch, error.message, sent);
    }
    this.#cluster.requestRefresh();
    this.wake();
  }

  /** Batches that an old leader still holds go to the new one: the sequence makes that safe. */
  #handleMetadata(): void {
    if (this.#config.idempotence) {
      for (const channel of this.#channels.values())
        for (const { item } of [...channel.pending]) this.#leave(channel.nodeId, item);
    }
    this.wake();
  }

  #leave(nodeId: NodeId, frame: Frame): void {
    for (const { queue, batch, attempt } of frame) {
      const leader = this.#cluster.findLeader(queue.topic, queue.partition);
      if (leader === undefined || leader.nodeId === nodeId || !queue.awaits(batch, attempt)) continue;
      this.#settlement.again(
        queue,
        batch,
        `broker ${leader.nodeId} leads now, broker ${nodeId} did not answer`,
        true,
      );
    }
  }

  #channelTo(nodeId: NodeId): Channel {
    const known = this.#channels.get(nodeId);
    if (known !== undefined) return known;
    const { clock, random } = this.#cluster.environment;
    const channel: Channel = new BrokerStream({
      nodeId,
      maxInFlight: this.#config.maxInFlight,
      reconnectBackoff: this.#backoff,
      random,
      nowMs: () => clock.monotonicMs(),
      connect: () => this.#cluster.findConnection(nodeId),
      open: ({ broker }, replies) => broker.produceStream(replies, {}),
      onReply: (frame, reply) => this.#handleReply(frame, reply),
      onBroken: (frames, error, sent) => this.#handleBroken(frames, error, sent),
      onRoom: () => this.wake(),
    });
    this.#channels.set(nodeId, channel);
    return channel;
  }

  #wakeAt(atMs: MonotonicMs, nowMs: MonotonicMs): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    if (atMs === Infinity) return;
    this.#wake = this.#cluster.environment.timers.after(atMs - nowMs, () => this.wake());
  }

  #sweepLater(): void {
    if (this.#sweep !== undefined || this.#closed) return;
    const everyMs = Math.min(SWEEP_MS, this.#config.deliveryTimeoutMs);
    this.#sweep = this.#cluster.environment.timers.after(everyMs, () => {
      this.#sweep = undefined;
      this.#sweepNow();
    });
  }

  #sweepNow(): void {
    const nowMs = this.#cluster.environment.clock.monotonicMs();
    const { deliveryTimeoutMs, requestTimeoutMs } = this.#config;
    for (const queue of [...this.#busy]) {
      for (const batch of queue.olderThan(nowMs - deliveryTimeoutMs)) {
        if (queue.inFlight.includes(batch)) batch.doubt ??= 'REQUEST_TIMED_OUT';
        const why = `no success within ${deliveryTimeoutMs} ms; last: ${batch.lastProblem}`;
        this.#settlement.giveUp(queue, batch, why);
      }
    }
    for (const channel of this.#channels.values()) {
      const [oldest] = channel.pending;
      const ageMs = oldest === undefined ? 0 : nowMs - oldest.sentMs;
      if (ageMs > requestTimeoutMs) channel.break(overdue(channel.nodeId, requestTimeoutMs));
      else if (ageMs > SLOW_MS) this.#cluster.requestRefresh();
    }
    this.wake();
    if (this.#busy.size > 0) this.#sweepLater();
  }
}

const GAP = 'a batch before it was given up, and whether this one was written is not known';

function overdue(nodeId: NodeId, timeoutMs: number): Error {
  return new ApiError('REQUEST_TIMED_OUT', `broker ${nodeId} did not answer within ${timeoutMs} ms`);
}

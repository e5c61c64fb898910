/**
 * Batches of one partition: `waiting` to be sent, then `inFlight` until answered, then gone. Pure.
 *
 * Owns their order and sequences. Invariants, with ordinals ascending in both lists:
 *   - a sequence is given when a batch is first sent, so that one which never was leaves no gap;
 *   - from the first batch in flight to the last one sent there are at most `partitionInFlight`, counting
 *     those between that are settled already: the broker recognises a repetition only among the last five of
 *     a producer, and answers may overtake one another;
 *   - until the first batch of an identity is written nothing else of it is in flight: of a producer that a broker does not
 *     know it takes any sequence, so a later batch would overtake a first one that was refused;
 *   - a batch that is sent again goes only when none before it is in flight, and nothing new goes while one
 *     that was sent again is in flight;
 *   - the epoch rises only when nothing is in flight, and no batch in doubt is ever sent under another
 *     identity than its first.
 * Source: KIP-98, KIP-360, KAFKA-5494; the last rule is stricter than Kafka's.
 */
import {
  assert,
  type LeaderEpoch,
  type MonotonicMs,
  type PartitionId,
  type ProducerId,
} from '../../base/index.ts';
import type { CompressionType, NewRecord } from '../../log/record/index.ts';
import type { Delivery } from './delivery.ts';
import { advanceSequence, PRODUCER_EPOCH_MAX, type ProducerIdentity } from './identity.ts';
import { ProducerBatch } from './producer-batch.ts';

export interface QueueOptions {
  readonly compression: CompressionType;
  readonly idempotence: boolean;
  readonly partitionInFlight: number;
  readonly batchSize: number;
  readonly lingerMs: number;
}

/**
 * A batch that waits for its turn grows up to this, beyond batch.size: fewer, larger batches are what a busy
 * broker needs. Below any sensible max.message.bytes.
 */
export const BATCH_BYTES_MAX = 262_144;
/** Halving a batch the broker called too large stops here. */
const BATCH_BYTES_FLOOR = 1024;
const CAPACITY_BYTES_MIN = 512;
/** Room a builder needs beyond the bytes of a record: lengths, deltas, growth of the header count. */
const CAPACITY_SLACK_BYTES = 128;

export class PartitionQueue {
  readonly topic: string;
  readonly partition: PartitionId;
  /** No batch is sent before this. */
  retryAtMs: MonotonicMs = 0;
  /** Refusals since the last success. */
  failures = 0;
  /** The leader we know may be none any more: look for another meanwhile. */
  searching = false;
  /** Leader epoch of the last attempt: a newer one is tried at once. */
  triedEpoch: LeaderEpoch = -1;
  readonly #options: QueueOptions;
  #waiting: ProducerBatch[] = [];
  readonly #inFlight: ProducerBatch[] = [];
  #identity: ProducerIdentity | undefined;
  #nextSequence = 0;
  /** The broker knows the identity. */
  #isKnown = false;
  #renew = false;
  #nextOrdinal = 0;
  /** Batches that were sent, each counted once. */
  #sent = 0;
  #batchBytesMax: number;
  #capacityBytes = CAPACITY_BYTES_MIN;

  constructor(topic: string, partition: PartitionId, options: QueueOptions) {
    this.topic = topic;
    this.partition = partition;
    this.#options = options;
    this.#batchBytesMax = Math.max(options.batchSize, BATCH_BYTES_MAX);
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  get inFlight(): readonly ProducerBatch[] {
    return this.#inFlight;
  }

  get waiting(): readonly ProducerBatch[] {
    return this.#waiting;
  }

  /**
   * Adds a record of about `bytes` to the open batch, or to a new one. Returns by how many bytes the queue
   * grew.
   */
  append(record: NewRecord, bytes: number, delivery: Delivery, nowMs: MonotonicMs): number {
    let tail = this.#waiting[this.#waiting.length - 1];
    if (tail === undefined || !tail.isOpen || tail.sizeBytes + bytes > this.#batchBytesMax) {
      const capacityBytes = Math.max(this.#capacityBytes, bytes + CAPACITY_SLACK_BYTES);
      tail = new ProducerBatch(this.#nextOrdinal++, nowMs, this.#options.compression, capacityBytes);
      this.#waiting.push(tail);
    }
    return tail.append(record, delivery);
  }

  /**
   * When the next batch may be sent; Infinity: not before something in flight is answered. `hurry`: no
   * lingering.
   */
  readyAtMs(hurry: boolean): MonotonicMs {
    const head = this.#waiting[0];
    if (head === undefined) return Infinity;
    const first = this.#inFlight[0];
    if (head.attempts > 0) {
      if (first !== undefined && first.ordinal < head.ordinal) return Infinity;
      if (this.#mustRenewFor(head) && first !== undefined) return Infinity;
      return this.retryAtMs;
    }
    if (first !== undefined && this.#sent - first.serial >= this.#options.partitionInFlight) return Infinity;
    if (first !== undefined && (this.#renew || !this.#inFlightFresh())) return Infinity;
    if (first !== undefined && first.identity !== undefined && !this.#isKnown) return Infinity;
    const lingers = !hurry && this.#waiting.length === 1 && head.sizeBytes < this.#options.batchSize;
    return Math.max(this.retryAtMs, lingers ? head.createdMs + this.#options.lingerMs : 0);
  }

  get head(): ProducerBatch | undefined {
    return this.#waiting[0];
  }

  /**
   * Moves the head in flight, sealed and in its place in the order; `fresh` is the identity of a new
   * partition or a spent epoch. Returns the batches that had to be given up on the way: in doubt, behind a
   * change of identity.
   */
  take(fresh: ProducerIdentity | undefined): { batch: ProducerBatch; givenUp: ProducerBatch[] } {
    const head = this.#waiting[0];
    assert(head !== undefined, 'nothing to take', { partition: this.partition });
    const givenUp = this.#mustRenewFor(head) ? this.#renewIdentity(fresh) : [];
    this.#waiting.shift();
    head.seal();
    if (this.#options.idempotence && head.identity === undefined) {
      this.#identity ??= fresh;
      assert(this.#identity !== undefined, 'an idempotent batch needs an identity', {
        partition: this.partition,
      });
      head.stamp(this.#identity, this.#nextSequence);
      this.#nextSequence = advanceSequence(this.#nextSequence, head.count);
    }
    if (head.attempts === 0) head.serial = this.#sent++;
    head.attempts++;
    this.#capacityBytes = Math.min(head.sizeBytes + CAPACITY_SLACK_BYTES, this.#batchBytesMax);
    insert(this.#inFlight, head);
    head.wasFirst = this.#inFlight[0] === head;
    return { batch: head, givenUp };
  }

  /** True: `take` wants a new producer id: there is none yet, or all epochs of the present one are spent. */
  get needsIdentity(): boolean {
    if (!this.#options.idempotence) return false;
    return (
      this.#identity === undefined || (this.#renew && this.#identity.producerEpoch >= PRODUCER_EPOCH_MAX)
    );
  }

  get producerId(): ProducerId | undefined {
    return this.#identity?.producerId;
  }

  /** An answer for this attempt of this batch is still awaited. */
  awaits(batch: ProducerBatch, attempt: number): boolean {
    return batch.attempts === attempt && this.#inFlight.includes(batch);
  }

  /** The batch is waiting or in flight here. */
  holds(batch: ProducerBatch): boolean {
    return this.#inFlight.includes(batch) || this.#waiting.includes(batch);
  }

  /** The batch is written. */
  complete(batch: ProducerBatch): void {
    this.#land(batch);
    if (batch.identity === this.#identity) this.#isKnown = true;
    this.failures = 0;
    this.retryAtMs = 0;
    this.searching = false;
  }

  /** There is a new leader: what the old one refused with says nothing of it. */
  startAnew(): void {
    this.failures = 0;
    this.retryAtMs = 0;
  }

  /** The batch goes again, in its old place. */
  retry(batch: ProducerBatch): void {
    this.#land(batch);
    insert(this.#waiting, batch);
  }

  /**
   * The batch goes again under a new identity: it was refused for its sequence, and certainly not written.
   */
  resequence(batch: ProducerBatch): void {
    this.retry(batch);
    this.#renew = true;
  }

  /** The batch goes again in two halves, and later ones are made smaller. */
  split(batch: ProducerBatch): readonly ProducerBatch[] {
    this.#land(batch);
    const halves = batch.split(this.#options.compression);
    for (const half of halves) insert(this.#waiting, half);
    this.#batchBytesMax = Math.max(BATCH_BYTES_FLOOR, Math.min(this.#batchBytesMax, batch.sizeBytes) >> 1);
    return halves;
  }

  /**
   * The batch is given up. One that had a sequence leaves a gap behind, which only a new identity can pass.
   */
  abandon(batch: ProducerBatch): void {
    const index = this.#waiting.indexOf(batch);
    if (index >= 0) this.#waiting.splice(index, 1);
    else this.#land(batch);
    if (batch.identity !== undefined) this.#renew = true;
  }

  /** Batches made at or before `createdMs`, waiting or in flight, in order. */
  olderThan(createdMs: MonotonicMs): ProducerBatch[] {
    return [...this.#inFlight, ...this.#waiting]
      .filter((batch) => batch.createdMs <= createdMs)
      .sort(byOrdinal);
  }

  /** Takes no more records into the open batch, so that what comes now is not waited for by a flush. */
  closeTail(): void {
    const tail = this.#waiting[this.#waiting.length - 1];
    if (tail?.isOpen) tail.seal();
  }

  #mustRenewFor(head: ProducerBatch): boolean {
    return this.#renew && !(head.identity !== undefined && head.doubt !== undefined);
  }

  #inFlightFresh(): boolean {
    return this.#inFlight.every((batch) => batch.attempts === 1);
  }

  #renewIdentity(fresh: ProducerIdentity | undefined): ProducerBatch[] {
    assert(this.#inFlight.length === 0, 'the identity changes while batches are in flight');
    const old = this.#identity;
    this.#identity =
      old !== undefined && old.producerEpoch < PRODUCER_EPOCH_MAX
        ? { producerId: old.producerId, producerEpoch: old.producerEpoch + 1 }
        : fresh;
    this.#nextSequence = 0;
    this.#isKnown = false;
    this.#renew = false;
    const givenUp = this.#waiting.filter(
      (batch) => batch.identity !== undefined && batch.doubt !== undefined,
    );
    this.#waiting = this.#waiting.filter((batch) => !givenUp.includes(batch));
    for (const batch of this.#waiting) if (batch.identity !== undefined) batch.unstamp();
    return givenUp;
  }

  #land(batch: ProducerBatch): void {
    const index = this.#inFlight.indexOf(batch);
    assert(index >= 0, 'a batch lands that is not in flight', { ordinal: batch.ordinal });
    this.#inFlight.splice(index, 1);
  }
}

function byOrdinal(a: ProducerBatch, b: ProducerBatch): number {
  return a.ordinal - b.ordinal;
}

function insert(list: ProducerBatch[], batch: ProducerBatch): void {
  let at = list.length;
  while (at > 0 && (list[at - 1] as ProducerBatch).ordinal > batch.ordinal) at--;
  list.splice(at, 0, batch);
}

/**
 * Records on their way to one partition: open while records are added, sealed once first handed out.
 *
 * Its bytes are its own: nothing is pooled, so that no batch can be overwritten while a transport still sends
 * it (CVE-2026-35554), and a batch that was ever handed out is copied before it is stamped again.
 */
import { assert, type ErrorName, type MonotonicMs } from '../../base/index.ts';
import { BatchBuilder, type CompressionType, decodeRecords, type NewRecord } from '../../log/record/index.ts';
import type { ProducePartitionReply } from '../../rpc/api/index.ts';
import type { Delivery } from './delivery.ts';
import { advanceSequence, type ProducerIdentity, stampIdentity } from './identity.ts';

export class ProducerBatch {
  /** Place in the order of its partition. */
  readonly ordinal: number;
  readonly createdMs: MonotonicMs;
  count = 0;
  /** Bytes it takes of buffer.memory: of the records before compression. */
  sizeBytes = 0;
  /** How many batches of its partition were first sent before it. */
  serial = 0;
  /** Times it was sent. A reply counts only for the latest. */
  attempts = 0;
  identity: ProducerIdentity | undefined;
  baseSequence = -1;
  /** The batches before it were all settled when it was last sent. */
  wasFirst = false;
  /** Set when a copy may have been written: it was sent and its fate was not told. */
  doubt: ErrorName | undefined;
  /** Refusals in a row that say nothing ("the server failed"). */
  blindFailures = 0;
  lastProblem = 'it was not sent yet';
  lastCode: ErrorName = 'LEADER_NOT_AVAILABLE';
  #builder: BatchBuilder | undefined;
  #bytes: Uint8Array | undefined;
  readonly #deliveries: Delivery[] = [];
  readonly #firsts: number[] = [];
  /** Ordinals from here to the next batch: room for the halves of a split. */
  #width = 1;

  constructor(ordinal: number, createdMs: MonotonicMs, compression: CompressionType, capacityBytes: number) {
    this.ordinal = ordinal;
    this.createdMs = createdMs;
    this.#builder = new BatchBuilder({ compression, capacityBytes });
  }

  get isOpen(): boolean {
    return this.#builder !== undefined;
  }

  /** Adds a record that `delivery` waits for. Returns by how many bytes the batch grew. */
  append(record: NewRecord, delivery: Delivery): number {
    const builder = this.#builder;
    assert(builder !== undefined, 'a record comes to a sealed batch', { ordinal: this.ordinal });
    builder.append(record);
    if (this.#deliveries[this.#deliveries.length - 1] !== delivery) {
      this.#deliveries.push(delivery);
      this.#firsts.push(this.count);
      delivery.expect();
    }
    this.count++;
    const grown = builder.sizeBytes - this.sizeBytes;
    this.sizeBytes = builder.sizeBytes;
    return grown;
  }

  /** The finished batch. The first call takes no more records. */
  seal(): Uint8Array {
    if (this.#builder !== undefined) {
      this.#bytes = this.#builder.build();
      this.#builder = undefined;
    }
    assert(this.#bytes !== undefined, 'a sealed batch has bytes');
    return this.#bytes;
  }

  /** Gives the batch its place in a producer's order. */
  stamp(identity: ProducerIdentity, baseSequence: number): void {
    const bytes = this.seal();
    const own = this.attempts === 0 ? bytes : new Uint8Array(bytes);
    stampIdentity(own, identity, baseSequence);
    this.#bytes = own;
    this.identity = identity;
    this.baseSequence = baseSequence;
  }

  /** Takes the place away again. Only a batch that was certainly not written may get another. */
  unstamp(): void {
    assert(this.doubt === undefined, 'a batch in doubt keeps its sequence', { ordinal: this.ordinal });
    this.identity = undefined;
    this.baseSequence = -1;
  }

  /** Tells everyone where the records are. */
  acknowledge(topic: string, partition: number, reply: AppendedAt): void {
    for (let index = 0; index < this.#deliveries.length; index++) {
      const first = this.#firsts[index] as number;
      const end = this.#firsts[index + 1] ?? this.count;
      (this.#deliveries[index] as Delivery).acknowledge({
        topic,
        partition,
        offset: reply.baseOffset < 0 ? -1 : reply.baseOffset + first,
        count: end - first,
        leaderEpoch: reply.leaderEpoch,
        replicas: reply.replicas,
        synced: reply.synced,
        logAppendTimeMs: reply.logAppendTimeMs,
      });
    }
  }

  fail(error: unknown): void {
    for (const delivery of this.#deliveries) delivery.fail(error);
  }

  /**
   * Two batches with the same records in the same order, and the same sequences in all: what follows this
   * batch stays in order. For a batch of two records or more that the broker called too large.
   */
  split(compression: CompressionType): [ProducerBatch, ProducerBatch] {
    assert(this.count > 1, 'one record cannot be split', { ordinal: this.ordinal });
    const middle = this.count >> 1;
    const capacityBytes = this.sizeBytes >> 1;
    const first = new ProducerBatch(this.ordinal, this.createdMs, compression, capacityBytes);
    const second = new ProducerBatch(
      this.ordinal + this.#width / 2,
      this.createdMs,
      compression,
      capacityBytes,
    );
    first.#width = second.#width = this.#width / 2;
    let holder = -1;
    let index = 0;
    for (const record of decodeRecords(this.seal())) {
      if (index === this.#firsts[holder + 1]) holder++;
      const half = index < middle ? first : second;
      half.append(record, this.#deliveries[holder] as Delivery);
      index++;
    }
    for (const delivery of this.#deliveries) delivery.release();
    for (const half of [first, second]) {
      half.doubt = this.doubt;
      half.lastCode = this.lastCode;
      half.lastProblem = this.lastProblem;
      if (this.identity !== undefined)
        half.stamp(
          this.identity,
          half === first ? this.baseSequence : advanceSequence(this.baseSequence, middle),
        );
      half.attempts = this.attempts;
      half.serial = this.serial;
    }
    return [first, second];
  }
}

/** What a reply says of where a batch is. */
export type AppendedAt = Pick<
  ProducePartitionReply,
  'baseOffset' | 'leaderEpoch' | 'replicas' | 'synced' | 'logAppendTimeMs'
>;

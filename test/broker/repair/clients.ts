/** One producer and one consumer of every lane, which go on whatever happens to the brokers. */
import type { NodeId, SeededRandom } from '../../../src/base/index.ts';
import { BatchBuilder, batches } from '../../../src/log/record/index.ts';
import type { TestCluster } from '../cluster-fixture.ts';
import { produceRequest } from '../fixture.ts';
import { findProblem, type Lane, textOf } from './lane.ts';

/** A partition that nobody can read for so long is lost. */
const UNREADABLE_MAX_MS = 60_000;

export class Clients {
  readonly #cluster: TestCluster;
  readonly #random: SeededRandom;
  readonly #ids: readonly NodeId[];
  /** What a consumer or producer got and should not have. */
  readonly wrong: string[] = [];
  #over = false;

  constructor(cluster: TestCluster, random: SeededRandom, ids: readonly NodeId[]) {
    this.#cluster = cluster;
    this.#random = random;
    this.#ids = ids;
  }

  /** Resolves after {@link stop}. */
  async goOn(lanes: readonly Lane[]): Promise<void> {
    await Promise.all([...lanes.map((lane) => this.#produce(lane)), this.#consume(lanes)]);
  }

  stop(): void {
    this.#over = true;
  }

  /** One batch after another, each until it is acknowledged. */
  send(lane: Lane, bytes = 0): Promise<void> {
    lane.sending = lane.sending.then(async () => {
      for (let sent = 0; ; ) {
        sent += await this.#sendOne(lane, bytes === 0 ? this.#random.integer(1, 6) : 15);
        if (sent >= bytes) return;
      }
    });
    return lane.sending;
  }

  async #sendOne(lane: Lane, count: number): Promise<number> {
    const producer = { producerId: lane.producerId, producerEpoch: 0, baseSequence: lane.acked };
    const builder = new BatchBuilder({ compression: lane.compression, ...producer });
    for (let i = 0; i < count; i++)
      builder.append({ value: Buffer.from(textOf(lane, lane.acked + i)), timestampMs: 1000 + lane.acked });
    const batch = builder.build();
    for (let tries = 0; ; tries++) {
      if (tries > 0) await this.#pause(this.#random.integer(5, 50));
      const outcome = await this.#ask(lane, batch.slice());
      if (outcome === undefined || outcome.error !== 'NONE') {
        if (outcome !== undefined && isNeverRight(outcome.error))
          this.wrong.push(`${lane.name}: the batch at ${lane.acked} was refused: ${outcome.error}`);
        continue;
      }
      if (outcome.baseOffset !== lane.acked)
        this.wrong.push(`${lane.name}: the batch at ${lane.acked} was put at ${outcome.baseOffset}`);
      lane.acked += count;
      return batch.length;
    }
  }

  async #ask({ topic, partition }: Lane, batch: Uint8Array, id = this.#pick(this.#ids)) {
    const request = produceRequest({ partitions: [{ topic, partition, batch }], timeoutMs: 1_500 });
    if (!this.#cluster.isUp(id)) return undefined;
    return this.#cluster
      .client(id)
      .broker.produce(request, { timeoutMs: 2_000 })
      .then(
        ({ partitions }) => partitions[0],
        () => undefined,
      );
  }

  async #produce(lane: Lane): Promise<void> {
    while (!this.#over) {
      await this.send(lane);
      await this.#pause(this.#random.integer(500, 5_000));
    }
  }

  /** Every partition over and over, in pieces, from its start to its end. */
  async #consume(lanes: readonly Lane[]): Promise<void> {
    while (!this.#over) {
      const lane = this.#pick(lanes);
      const next = await this.#fetch(lane, lane.consumed, this.#pick([700, 3_000]));
      lane.consumed = next > lane.consumed ? next : 0;
      await this.#pause(this.#random.integer(1, 80));
    }
  }

  /** Everything of a partition, up to what is acknowledged. */
  async readAll(lane: Lane): Promise<void> {
    const end = lane.acked;
    const untilMs = this.#cluster.scheduler.nowMs + UNREADABLE_MAX_MS;
    for (let next = 0; next < end; ) {
      const after = await this.#fetch(lane, next, 20_000);
      if (after <= next) await this.#pause(20);
      next = Math.max(next, after);
      if (this.#cluster.scheduler.nowMs > untilMs) throw new Error(`${lane.name} cannot be read at ${next}`);
    }
  }

  /** What a producer and a consumer are told that cannot be served, by each broker. */
  async refusals(lane: Lane): Promise<string[]> {
    const builder = new BatchBuilder({ compression: 'none' });
    builder.append({ value: Buffer.from('refused'), timestampMs: 1 });
    const batch = builder.build();
    const answers = this.#ids.map((id) => [
      this.#ask(lane, batch.slice(), id),
      this.#askFetch(lane, 0, 1000, id),
    ]);
    const outcomes = await Promise.all(answers.flat());
    return outcomes.map((outcome) => `${outcome?.error}: ${outcome?.errorMessage}`);
  }

  /** A try at each part of a partition; what cannot be read is passed over. */
  async readSome(lane: Lane): Promise<void> {
    for (let next = 0; next < lane.acked; ) {
      const read = this.#fetch(lane, next, 20_000);
      next = Math.max(next + 10, await this.#cluster.run(read));
    }
  }

  /** Where to go on; -1: nobody could answer. What is wrong with the records is noted. */
  async #fetch(lane: Lane, fetchOffset: number, maxBytes: number): Promise<number> {
    const id = this.#pick(this.#ids);
    const got = await this.#askFetch(lane, fetchOffset, maxBytes, id);
    if (got === undefined || got.error !== 'NONE') {
      if (got?.error === 'OFFSET_OUT_OF_RANGE')
        this.wrong.push(`${lane.name}: there is no offset ${fetchOffset} at broker ${id}`);
      return -1;
    }
    return this.#checkBatches(lane, got.batches, fetchOffset);
  }

  async #askFetch({ topic, partition }: Lane, fetchOffset: number, maxBytes: number, id: NodeId) {
    if (!this.#cluster.isUp(id)) return undefined;
    const request = {
      correlationId: 1,
      clientId: 'reader',
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes,
      isolation: 'read_uncommitted',
      partitions: [{ topic, partition, fetchOffset, currentLeaderEpoch: -1, maxBytes }],
      plain: false,
      forwarded: false,
    } as const;
    return this.#cluster
      .client(id)
      .broker.fetch(request, { timeoutMs: 2_000 })
      .then(
        ({ partitions }) => partitions[0],
        () => undefined,
      );
  }

  #checkBatches(lane: Lane, found: readonly Uint8Array[], from: number): number {
    let next = from;
    for (const bytes of found)
      for (const { header, bytes: batch } of batches(bytes)) {
        const problem = findProblem(lane, batch, next);
        if (problem !== undefined) this.wrong.push(`${lane.name}: served at ${next}: ${problem}`);
        next = header.lastOffset + 1;
      }
    return next;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#cluster.scheduler.after(ms, resolve));
  }

  #pick<T>(some: readonly T[]): T {
    return some[this.#random.integer(0, some.length)] as T;
  }
}

/** Told to a producer that repeats in order, one batch at a time, they say that a replica forgot. */
function isNeverRight(error: string): boolean {
  return [
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'CORRUPT_MESSAGE',
    'INVALID_PRODUCER_EPOCH',
  ].includes(error);
}

import { describe, expect, it } from 'vitest';
import { ERRORS, SeededRandom } from '../../src/base/index.ts';
import type { InitProducerIdReply, ProduceReply, ProduceRequest } from '../../src/rpc/api/index.ts';
import { TestCluster } from './cluster-fixture.ts';
import { produceRequest } from './fixture.ts';
import { batchOf } from './replica/cluster.ts';

/**
 * Records through any broker while nodes die, lose power and are cut off, while calls overtake one another and
 * unary requests are executed twice. What must hold, whatever happens: an acknowledged record stays where it
 * was acknowledged, and what a consumer has seen never changes. A record sent by a stream and refused by a
 * definite error is nowhere; one sent by a stream, or by an idempotent producer, is stored once. Of a plain
 * record in a unary call neither is promised: what executes it a second time appends it a second time.
 */
const PARTITIONS = 2;
/** Names of topics that come and go. */
const TOPICS_MAX = 5;
/** Of virtual time. `SEEDS=1,2,3` runs these seeds, each four times as long. */
const SEEDS = process.env.SEEDS?.split(',').map(Number);
const RUN_MS = SEEDS === undefined ? 10_000 : 40_000;
/** Off: `DUPLICATES=0`, `REORDER=0`. */
const DUPLICATE_RATE = Number(process.env.DUPLICATES ?? 0.1);
const REORDER_RATE = Number(process.env.REORDER ?? 0.1);

interface History {
  /** By `partition@offset`. */
  readonly acknowledged: Map<string, string>;
  readonly seen: Map<string, string>;
  readonly refused: Set<string>;
  /** May be stored more than once. */
  readonly repeatable: Set<string>;
  /** Refusals that an idempotent producer with one request in flight never gets. */
  readonly broken: string[];
  /** Ids of topics that exist, by name, and of those that do not any more. */
  readonly made: Map<string, string>;
  readonly deleted: Set<string>;
  readonly producerIds: Set<number>;
  sent: number;
}

class Chaos {
  readonly cluster: TestCluster;
  readonly random: SeededRandom;
  readonly history: History = {
    acknowledged: new Map(),
    seen: new Map(),
    refused: new Set(),
    repeatable: new Set(),
    broken: [],
    made: new Map(),
    deleted: new Set(),
    producerIds: new Set(),
    sent: 0,
  };
  readonly story: string[] = [];
  readonly starting = new Set<number>();
  over = false;

  constructor(seed: number) {
    const properties = { 'min.insync.replicas': '2', 'replica.lag.time.max.ms': '2000' };
    this.cluster = new TestCluster({ controllers: 3, brokers: 3, seed, properties, diskMs: 40 });
    this.random = new SeededRandom(seed, 'chaos');
  }

  get nowMs(): number {
    return Math.round(this.cluster.scheduler.nowMs);
  }

  after(ms: number): Promise<void> {
    return new Promise((resolve) => this.cluster.scheduler.after(ms, resolve));
  }

  async run(): Promise<void> {
    await this.cluster.start();
    const topic = { name: 't', partitions: PARTITIONS, replicationFactor: 3, assignments: [], configs: {} };
    const request = { topics: [topic], validateOnly: false, timeoutMs: 5_000 };
    await this.cluster.run(this.cluster.client(1).admin.createTopics(request, { timeoutMs: 6_000 }));
    this.cluster.network.setReorderRate(REORDER_RATE);
    this.cluster.network.setDuplicateRate(DUPLICATE_RATE);
    const work = Promise.all([
      this.producer('stream1', 'stream'),
      this.producer('stream2', 'stream'),
      this.producer('unary', 'unary'),
      this.idempotentProducer(0),
      this.idempotentProducer(1),
      this.operator(),
      this.reader(),
      this.faults(),
    ]);
    await this.cluster.run(work, 10 * RUN_MS);
    await this.mend();
    await this.check();
  }

  /** A chain of records, each sent once, by its own stream or by a unary call. */
  async producer(name: string, road: 'stream' | 'unary'): Promise<void> {
    for (let i = 0; !this.over; i++) {
      const value = `${name}-${i}`;
      const id = this.random.integer(1, 4);
      const partition = this.random.integer(0, PARTITIONS);
      const plain = [{ topic: 't', partition, records: [{ value: Buffer.from(value), headers: [] }] }];
      const request = produceRequest({ plain, timeoutMs: 1_500 });
      this.history.sent += 1;
      if (road === 'unary') this.history.repeatable.add(value);
      try {
        const reply =
          road === 'unary'
            ? await this.cluster.client(id).broker.produce(request, { timeoutMs: 3_000 })
            : await this.overStream(id, request);
        const [outcome] = reply.partitions;
        if (outcome?.error === 'NONE')
          this.history.acknowledged.set(`${partition}@${outcome.baseOffset}`, value);
        else if (outcome !== undefined && road === 'stream' && ERRORS[outcome.error].definite)
          this.history.refused.add(value);
      } catch {
        // The broker is down or cut off: nobody knows.
      }
      await this.after(this.random.integer(1, 40));
    }
  }

  overStream(id: number, request: ProduceRequest): Promise<ProduceReply> {
    const { promise, resolve, reject } = Promise.withResolvers<ProduceReply>();
    const requests = this.cluster.client(id).broker.produceStream(
      {
        send(reply) {
          resolve(reply);
          return true;
        },
        drained: () => Promise.resolve(),
        end: (error) => reject(error ?? new Error('ended without a reply')),
      },
      { timeoutMs: 3_000 },
    );
    requests.send(request);
    requests.end();
    return promise;
  }

  /** Sends each record, by unary calls to any broker, until it is acknowledged: one producer id per partition. */
  async idempotentProducer(partition: number): Promise<void> {
    let identity: InitProducerIdReply | undefined;
    let baseSequence = 0;
    while (!this.over) {
      const { broker } = this.cluster.client(this.random.integer(1, 4));
      const value = `idempotent${partition}-${baseSequence}`;
      try {
        identity ??= await broker.initProducerId({ clientId: 'idempotent' }, { timeoutMs: 3_000 });
        const batch = batchOf([value], { ...identity, baseSequence });
        const partitions = [{ topic: 't', partition, batch }];
        const request = produceRequest({ partitions, timeoutMs: 1_500 });
        const [outcome] = (await broker.produce(request, { timeoutMs: 3_000 })).partitions;
        if (outcome?.error === 'NONE') {
          this.history.acknowledged.set(`${partition}@${outcome.baseOffset}`, value);
          baseSequence += 1;
        } else if (outcome !== undefined && !ERRORS[outcome.error].retriable) {
          this.history.broken.push(`${this.nowMs} ${value}: ${outcome.error} ${outcome.errorMessage}`);
          return;
        }
      } catch {
        // Sent again, until somebody says how it ended.
      }
      await this.after(this.random.integer(1, 40));
    }
  }

  /** Makes topics and producer ids, and deletes topics by id, through any broker. */
  async operator(): Promise<void> {
    for (let i = 0; !this.over; i++) {
      const { admin, broker } = this.cluster.client(this.random.integer(1, 4));
      const name = `made-${i % TOPICS_MAX}`;
      const options = { timeoutMs: 3_000 };
      const topic = { name, partitions: 1, replicationFactor: 3, assignments: [], configs: {} };
      const topicId = this.history.made.get(name);
      try {
        if (topicId === undefined) {
          const request = { topics: [topic], validateOnly: false, timeoutMs: 2_000 };
          const [made] = (await admin.createTopics(request, options)).topics;
          if (made?.error === 'NONE') this.history.made.set(name, made.topicId);
        } else {
          this.history.made.delete(name);
          const request = { topics: [{ topicId }], timeoutMs: 2_000 };
          const [deleted] = (await admin.deleteTopics(request, options)).topics;
          if (deleted?.error === 'NONE') this.history.deleted.add(topicId);
        }
        const { producerId } = await broker.initProducerId({ clientId: 'operator' }, options);
        if (this.history.producerIds.has(producerId))
          this.history.broken.push(`id ${producerId} given twice`);
        this.history.producerIds.add(producerId);
      } catch {
        // Whether it happened is not known; nothing is claimed of it.
      }
      await this.after(this.random.integer(50, 500));
    }
  }

  async reader(): Promise<void> {
    const next = new Array<number>(PARTITIONS).fill(0);
    while (!this.over) {
      const partition = this.random.integer(0, PARTITIONS);
      try {
        const found = await this.read(this.random.integer(1, 4), partition, next[partition] ?? 0);
        for (const [offset, value] of found) {
          this.history.seen.set(`${partition}@${offset}`, value);
          next[partition] = offset + 1;
        }
      } catch {
        // Asked again, elsewhere.
      }
      await this.after(this.random.integer(1, 60));
    }
  }

  async read(id: number, partition: number, fetchOffset: number): Promise<[number, string][]> {
    const request = {
      correlationId: 1,
      clientId: 'reader',
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      isolation: 'read_uncommitted',
      partitions: [{ topic: 't', partition, fetchOffset, currentLeaderEpoch: -1, maxBytes: 1_000_000 }],
      plain: true,
      forwarded: false,
    } as const;
    const reply = await this.cluster.client(id).broker.fetch(request, { timeoutMs: 3_000 });
    const [got] = reply.partitions;
    if (got?.error !== 'NONE') throw new Error(`${got?.error} ${got?.errorMessage}`);
    return got.records.map(({ offset = -1, value }) => [offset, Buffer.from(value ?? '').toString()]);
  }

  async faults(): Promise<void> {
    const untilMs = this.nowMs + RUN_MS;
    const ids = [1, 2, 3, ...this.cluster.controllerIds];
    while (this.nowMs < untilMs) {
      await this.after(this.random.integer(200, 3_000));
      const id = ids[this.random.integer(0, ids.length)] ?? 1;
      const other = ids[this.random.integer(0, ids.length)] ?? 1;
      const kind = this.random.integer(0, 6);
      if (kind <= 2 && this.cluster.isUp(id)) {
        this.tell(kind === 0 ? 'power failure of' : 'kill', id);
        this.cluster.kill(id, kind === 0);
        void this.after(this.random.integer(100, 5_000)).then(() => this.startNode(id));
      } else if (kind === 3 && id !== other) {
        this.tell('cut', id, other);
        this.cluster.network.cut(`node${id}`, `node${other}`);
        void this.after(this.random.integer(500, 6_000)).then(() => {
          this.cluster.network.heal(`node${id}`, `node${other}`);
        });
      } else if (kind === 5) {
        this.tell('power failure of all brokers');
        for (const broker of [1, 2, 3]) {
          if (this.cluster.isUp(broker)) this.cluster.kill(broker, true);
          void this.after(this.random.integer(100, 1_000)).then(() => this.startNode(broker));
        }
      } else if (kind === 4 && id !== other) {
        this.tell('break', id, other);
        this.cluster.network.break(`node${id}`, `node${other}`);
      }
    }
    this.over = true;
  }

  async startNode(id: number): Promise<void> {
    if (this.cluster.isUp(id) || this.starting.has(id)) return;
    this.tell('start', id);
    this.starting.add(id);
    if (id >= 100) await this.cluster.startController(id);
    else await this.cluster.startBroker(id);
    this.starting.delete(id);
  }

  tell(...words: unknown[]): void {
    this.story.push(`${this.nowMs} ${words.join(' ')}`);
  }

  async mend(): Promise<void> {
    this.cluster.network.heal();
    const { scheduler } = this.cluster;
    await scheduler.run(7_000);
    for (const id of [1, 2, 3, ...this.cluster.controllerIds]) await this.cluster.run(this.startNode(id));
    let whole = false;
    for (let tries = 0; tries < 60 && !whole; tries++) {
      await scheduler.run(1_000);
      whole = await this.isWhole();
    }
    expect(whole, 'every replica is in sync again').toBe(true);
  }

  async isWhole(): Promise<boolean> {
    try {
      const request = { topics: ['t'] };
      const reply = await this.cluster.run(
        this.cluster.client(1).broker.metadata(request, { timeoutMs: 1_000 }),
      );
      const partitions = reply.topics[0]?.partitions ?? [];
      return (
        partitions.length === PARTITIONS &&
        partitions.every(({ isr, error }) => isr.length === 3 && error === 'NONE')
      );
    } catch {
      return false;
    }
  }

  /** A name deleted may be back, made by a late duplicate; an id deleted is gone for ever. */
  async checkTopics(): Promise<void> {
    const { topics } = await this.cluster.run(
      this.cluster.client(1).broker.metadata({}, { timeoutMs: 1_000 }),
    );
    for (const [name, topicId] of this.history.made)
      expect(topics.find((topic) => topic.topicId === topicId)?.name).toBe(name);
    for (const { topicId } of topics) expect(this.history.deleted.has(topicId)).toBe(false);
  }

  async check(): Promise<void> {
    const stored = new Map<string, string>();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let next = 0; ; ) {
        const found = await this.cluster.run(this.read(1, partition, next));
        for (const [offset, value] of found) stored.set(`${partition}@${offset}`, value);
        if (found.length === 0) break;
        next = (found.at(-1)?.[0] ?? 0) + 1;
      }
    }
    for (const [at, value] of this.history.acknowledged) expect([at, stored.get(at)]).toEqual([at, value]);
    for (const [at, value] of this.history.seen) expect([at, stored.get(at)]).toEqual([at, value]);
    const values = new Set<string>();
    for (const value of stored.values()) {
      if (!this.history.repeatable.has(value))
        expect(values.has(value), `stored twice: ${value}`).toBe(false);
      values.add(value);
    }
    expect(this.history.broken).toEqual([]);
    await this.checkTopics();
    for (const value of this.history.refused) expect(values.has(value), `refused: ${value}`).toBe(false);
    expect(this.cluster.fatals()).toEqual([]);
  }
}

describe('whatever happens to nodes and links', () => {
  it.each(SEEDS ?? [1])('nothing acknowledged or seen is lost: seed %i', async (seed) => {
    const chaos = new Chaos(seed);
    try {
      await chaos.run();
    } catch (error) {
      console.log(chaos.story.join('\n'), chaos.cluster.fatals());
      throw error;
    }
    expect(chaos.history.acknowledged.size).toBeGreaterThan(100);
  });
});

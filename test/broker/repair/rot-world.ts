/**
 * Three brokers whose disks rot while producers and consumers go on. What every partition must hold is known without asking
 * anybody: one idempotent producer repeats each batch until it is acknowledged, so record n stands at offset n and says so.
 */
import { expect } from 'vitest';
import { type NodeId, SeededRandom } from '../../../src/base/index.ts';
import { batches, type CompressionType } from '../../../src/log/record/index.ts';
import type { PartitionDescription } from '../../../src/rpc/api/index.ts';
import type { LogLine } from '../../../src/testing/twins/recording-logger.ts';
import { TestCluster } from '../cluster-fixture.ts';
import { Clients } from './clients.ts';
import { findProblem, type Lane, laneOf } from './lane.ts';

export const BROKERS: readonly NodeId[] = [1, 2, 3];
const SEGMENT_BYTES = 1500;
/** Enough to close the active segment of any partition. */
const ROLL_BYTES = 2 * SEGMENT_BYTES;
const SCRUB_INTERVAL_MS = 3_000;
/** Until everything is whole again; a lost leader alone takes a few seconds. */
const QUIET_MAX_MS = 60_000;
const DATA = '/data/logs';

/** Topics by the compression of their producer; what is stored is what was sent. */
const TOPICS: readonly CompressionType[] = ['none', 'lz4', 'zstd'];

export interface RotOptions {
  readonly partitionsOfTopic?: number;
  readonly minIsr?: number;
}

export class RotWorld {
  readonly cluster: TestCluster;
  readonly random: SeededRandom;
  readonly lanes: readonly Lane[];
  readonly clients: Clients;
  readonly #lines: { readonly id: NodeId; readonly line: LogLine }[] = [];
  #work: Promise<unknown> = Promise.resolve();

  constructor(seed: number, { partitionsOfTopic = 8, minIsr = 2 }: RotOptions = {}) {
    this.random = new SeededRandom(seed, 'rot');
    const properties = {
      'min.insync.replicas': String(minIsr),
      'log.segment.bytes': String(SEGMENT_BYTES),
      'log.index.interval.bytes': '100',
      // Every read meets the files.
      'log.tail.cache.bytes': '0',
      'log.scrub.interval.ms': String(SCRUB_INTERVAL_MS),
      'replica.lag.time.max.ms': '3000',
      // Small steps: a log that is fetched anew is so in many.
      'replica.fetch.max.bytes': '4000',
      'log.open.segments.max': '20',
    };
    this.cluster = new TestCluster({ controllers: 1, brokers: BROKERS.length, seed, properties, diskMs: 2 });
    this.lanes = TOPICS.flatMap((topic) =>
      Array.from({ length: partitionsOfTopic }, (_, partition) => laneOf(topic, partition, topic)),
    );
    this.clients = new Clients(this.cluster, this.random, BROKERS);
  }

  /** Topics with a few closed segments everywhere, and clients that go on until `stop`. */
  async start(): Promise<this> {
    await this.cluster.start();
    await this.createTopics(this.lanes);
    for (let i = 0; i < 3; i++) await this.roll();
    this.#work = this.clients.goOn(this.lanes);
    return this;
  }

  /** Each partition with a leader of its own turn, and a producer. */
  async createTopics(lanes: readonly Lane[]): Promise<void> {
    const names = [...new Set(lanes.map(({ topic }) => topic))];
    const topics = names.map((name, t) => {
      const partitions = lanes.filter(({ topic }) => topic === name);
      const assignments = partitions.map((_, i) =>
        BROKERS.map((_id, k) => BROKERS[(t + i + k) % 3] as NodeId),
      );
      return { name, partitions: -1, replicationFactor: -1, assignments, configs: {} };
    });
    const { admin, broker } = this.cluster.client(1);
    await this.run(admin.createTopics({ topics, validateOnly: false, timeoutMs: 10_000 }, {}));
    for (const lane of lanes)
      lane.producerId = (await this.run(broker.initProducerId({ clientId: 'test' }, {}))).producerId;
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.cluster.run(promise, 10 * QUIET_MAX_MS);
  }

  async stop(): Promise<void> {
    this.clients.stop();
    await this.run(this.#work);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.cluster.scheduler.after(ms, resolve));
  }

  pick<T>(some: readonly T[]): T {
    return some[this.random.integer(0, some.length)] as T;
  }

  // Quiet

  /** Bytes enough in every partition that what was active is closed now. */
  async roll(): Promise<void> {
    await this.run(Promise.all(this.lanes.map((lane) => this.clients.send(lane, ROLL_BYTES))));
  }

  /** Runs until every partition has a leader and all replicas are in sync; fails when that does not come. */
  async whole(): Promise<void> {
    const { scheduler } = this.cluster;
    const untilMs = scheduler.nowMs + QUIET_MAX_MS;
    for (;;) {
      const lacking = await this.lacking();
      if (lacking.length === 0) return;
      expect(scheduler.nowMs, `all in sync again; these are not: ${lacking.join(', ')}`).toBeLessThan(
        untilMs,
      );
      await scheduler.run(100);
    }
  }

  /** Partitions that are not whole. */
  async lacking(): Promise<string[]> {
    const known = await this.partitions();
    return this.lanes.flatMap(({ name }) => {
      const { leaderId: leader, isr } = known.get(name) ?? { leaderId: -1, isr: [] };
      return leader >= 0 && isr.length === BROKERS.length ? [] : [`${name} (leader ${leader}, isr ${isr})`];
    });
  }

  /** As whoever can answer knows them, by `<topic>-<partition>`. */
  async partitions(): Promise<Map<string, PartitionDescription>> {
    for (const id of BROKERS.filter((one) => this.cluster.isUp(one))) {
      const asked = this.cluster.client(id).broker.metadata({}, { timeoutMs: 1_000 });
      const reply = await this.run(asked.catch(() => undefined));
      const all = reply?.topics.flatMap(({ name, partitions }) =>
        partitions.map((one) => [`${name}-${one.partition}`, one] as const),
      );
      if (all !== undefined) return new Map(all);
    }
    return new Map();
  }

  /** Nothing is under way while `task` runs: all that was sent is acknowledged, durable and committed everywhere. */
  async settled<T>(task: () => T | Promise<T>): Promise<T> {
    await this.whole();
    return this.still(async () => {
      await this.#even();
      return task();
    });
  }

  /** While `task` runs nothing is sent, and what was is acknowledged. */
  async still<T>(task: () => T | Promise<T>): Promise<T> {
    let resume = (): void => {};
    const held = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const sending = this.run(Promise.all(this.lanes.map((lane) => lane.sending)));
    for (const lane of this.lanes) lane.sending = lane.sending.then(() => held);
    await sending;
    try {
      return await task();
    } finally {
      resume();
    }
  }

  async #even(): Promise<void> {
    const { scheduler } = this.cluster;
    const untilMs = scheduler.nowMs + QUIET_MAX_MS;
    const isBehind = (id: NodeId): boolean => {
      const paths = this.allPaths(id).filter((path) => path.endsWith('.log'));
      return this.lanes.some(({ name, acked }) => this.#storedEnd(id, name, paths) !== acked);
    };
    while (BROKERS.some(isBehind)) {
      expect(scheduler.nowMs, 'every replica has everything').toBeLessThan(untilMs);
      await scheduler.run(50);
    }
  }

  /** End of what the files of a replica hold; `paths`: of all segments on that disk. */
  #storedEnd(id: NodeId, name: string, paths: readonly string[]): number {
    const own = paths.filter((path) => path.startsWith(`${DATA}/${name}/`));
    const last = own.findLast((path) => this.bytes(id, path).length > 0);
    if (last === undefined) return 0;
    let end = 0;
    for (const { header } of batches(this.bytes(id, last))) end = header.lastOffset + 1;
    return end;
  }

  /** Long enough that everything closed was read by the scrub. */
  async scrubbed(): Promise<void> {
    await this.cluster.scheduler.run(2 * SCRUB_INTERVAL_MS);
  }

  // Brokers

  kill(id: NodeId, power = false): void {
    this.#lines.push(...this.cluster.environmentOf(id).logger.lines.map((line) => ({ id, line })));
    this.cluster.kill(id, power);
  }

  async startBroker(id: NodeId): Promise<void> {
    const { broker } = await this.run(this.cluster.startBroker(id));
    await this.run(broker.ready);
  }

  forgetLines(): void {
    this.#lines.length = 0;
    for (const id of BROKERS) this.cluster.environmentOf(id).logger.lines.length = 0;
  }

  /** Since {@link forgetLines}. */
  wasSetAside(id: NodeId, name: string): boolean {
    const now = this.cluster.environmentOf(id).logger.lines.map((line) => ({ id, line }));
    return [...this.#lines, ...now].some(
      (one) =>
        one.id === id &&
        one.line.message.startsWith('set a damaged log aside') &&
        `${one.line.fields.topic}-${one.line.fields.partition}` === name,
    );
  }

  // Disks

  paths(id: NodeId, name: string): string[] {
    return this.allPaths(id).filter((path) => path.startsWith(`${DATA}/${name}/`));
  }

  allPaths(id: NodeId): string[] {
    return this.files(id)
      .paths()
      .filter((path) => path.startsWith(`${DATA}/`));
  }

  bytes(id: NodeId, path: string): Buffer {
    return Buffer.from(this.files(id).contents(path));
  }

  files(id: NodeId) {
    return this.cluster.environmentOf(id).files;
  }

  /** What was set aside of damaged logs, on one broker. */
  kept(id: NodeId): string[] {
    return this.allPaths(id).filter((path) => path.endsWith('-damaged'));
  }

  /** Every replica of every partition holds the same bytes, and they are what was acknowledged. */
  checkStored(): void {
    for (const lane of this.lanes) {
      const [first, ...others] = BROKERS.map((id) => {
        const logs = this.paths(id, lane.name).filter((path) => path.endsWith('.log'));
        return Buffer.concat(logs.map((path) => this.bytes(id, path)));
      });
      for (const [i, other] of others.entries())
        expect(first?.equals(other), `${lane.name} on broker ${BROKERS[i + 1]} is as on broker 1`).toBe(true);
      let next = 0;
      for (const { header, bytes } of batches(first ?? Buffer.alloc(0))) {
        expect(findProblem(lane, bytes, next), `${lane.name} at ${next}`).toBeUndefined();
        next = header.lastOffset + 1;
      }
      expect(next, `the end of ${lane.name}`).toBe(lane.acked);
    }
  }
}

import { describe, expect, it } from 'vitest';
import type { NodeId, PartitionId } from '../../src/base/index.ts';
import { ERRORS } from '../../src/base/index.ts';
import type { PartitionDescription } from '../../src/rpc/api/index.ts';
import { directoryIdOf, TestCluster } from './cluster-fixture.ts';
import { produceRequest } from './fixture.ts';

const PARTITIONS = 4;
const BROKERS = [1, 2, 3];

/** Three brokers with two directories each, and records to every partition with acks=all, for as long as it goes on. */
class World {
  readonly cluster: TestCluster;
  readonly acknowledged = new Map<string, string>();
  readonly broken: string[] = [];
  #over = false;
  #lanes: Promise<void>[] = [];

  constructor(seed: number) {
    this.cluster = new TestCluster({
      controllers: 1,
      brokers: 3,
      logDirs: 2,
      seed,
      diskMs: 5,
      properties: { 'min.insync.replicas': '2', 'replica.lag.time.max.ms': '2000' },
    });
  }

  async start(): Promise<this> {
    const { cluster } = this;
    await cluster.start();
    const topic = { name: 't', partitions: PARTITIONS, replicationFactor: 3, assignments: [], configs: {} };
    const request = { topics: [topic], validateOnly: false, timeoutMs: 5_000 };
    await cluster.run(cluster.client(1).admin.createTopics(request, { timeoutMs: 6_000 }));
    this.#lanes = Array.from({ length: PARTITIONS }, (_, partition) => this.#lane(partition));
    await this.more(5);
    return this;
  }

  /** One record after another, through broker after broker. */
  async #lane(partition: PartitionId): Promise<void> {
    for (let i = 0; !this.#over; i++) {
      const value = `${partition}:${i}`;
      const plain = [{ topic: 't', partition, records: [{ value: Buffer.from(value), headers: [] }] }];
      const request = produceRequest({ plain, timeoutMs: 1_500 });
      try {
        const { broker } = this.cluster.client(1 + (i % 3));
        const [outcome] = (await broker.produce(request, { timeoutMs: 3_000 })).partitions;
        if (outcome?.error === 'NONE') this.acknowledged.set(`${partition}@${outcome.baseOffset}`, value);
        else if (outcome !== undefined && !ERRORS[outcome.error].retriable) this.broken.push(outcome.error);
      } catch {
        // The broker is down: nobody knows.
      }
      await new Promise<void>((resolve) => this.cluster.scheduler.after(25, resolve));
    }
  }

  #counts(): number[] {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (const at of this.acknowledged.keys()) {
      const partition = Number(at.split('@')[0]);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    return counts;
  }

  /** `count` more records are acknowledged in each partition. */
  async more(count: number): Promise<void> {
    const before = this.#counts();
    const reached = () => this.#counts().every((now, partition) => now >= (before[partition] ?? 0) + count);
    expect(await this.cluster.scheduler.runUntil(reached, 30_000), `${count} more records`).toBe(true);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.cluster.run(Promise.all(this.#lanes));
  }

  async partitions(): Promise<readonly PartitionDescription[]> {
    const { cluster } = this;
    const [at = 0] = cluster.brokers.keys();
    const request = cluster.client(at).broker.metadata({ topics: ['t'] }, { timeoutMs: 1_000 });
    return (await cluster.run(request)).topics[0]?.partitions ?? [];
  }

  async until(what: string, holds: (partition: PartitionDescription, id: PartitionId) => boolean) {
    for (let tries = 0; tries < 200; tries++) {
      const partitions = await this.partitions();
      if (partitions.length === PARTITIONS && partitions.every(holds)) return;
      await this.cluster.scheduler.run(100);
    }
    expect(what).toBe('reached');
  }

  /** The partitions that have their log in a directory. */
  logsIn(id: NodeId, path: string): PartitionId[] {
    const { files } = this.cluster.get(id).environment;
    return files.paths().flatMap((one) => {
      const [, name] = one.split(`${path}/t-`);
      return name !== undefined && /^\d+$/.test(name) ? [Number(name)] : [];
    });
  }

  async read(at: NodeId, partition: PartitionId): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (let fetchOffset = 0; ; ) {
      const request = {
        correlationId: 1,
        clientId: 't',
        maxWaitMs: 0,
        minBytes: 1,
        maxBytes: 1_000_000,
        partitions: [{ topic: 't', partition, fetchOffset, currentLeaderEpoch: -1, maxBytes: 1_000_000 }],
        isolation: 'read_uncommitted',
        plain: true,
        forwarded: false,
      } as const;
      const reply = await this.cluster.run(
        this.cluster.client(at).broker.fetch(request, { timeoutMs: 5_000 }),
      );
      const [got] = reply.partitions;
      expect(got?.error).toBe('NONE');
      if (got === undefined || got.records.length === 0) return found;
      for (const { offset = -1, value } of got.records) {
        found.set(`${partition}@${offset}`, Buffer.from(value ?? '').toString());
        fetchOffset = offset + 1;
      }
    }
  }
}

/** `SEEDS=1,2,3`; after an odd one the broker stops in order, after an even one its power fails. */
const SEEDS = process.env.SEEDS?.split(',').map(Number) ?? [1, 2];

describe('one of two directories of a broker that fails while records are acknowledged by all in sync', () => {
  it.each(SEEDS)('moves what it led, loses nothing, and its broker serves on; seed %i', async (seed) => {
    const world = await new World(seed).start();
    const { cluster } = world;
    const [first] = await world.partitions();
    const victim = first?.leaderId ?? 0;
    const [sound = '', broken = ''] = cluster
      .directoriesOf(victim)
      .map(({ path }) => path)
      .toSorted((a) => (world.logsIn(victim, a).includes(0) ? 1 : -1));
    const [kept, gone] = [world.logsIn(victim, sound), world.logsIn(victim, broken)];
    expect([...kept, ...gone].sort()).toEqual([0, 1, 2, 3]);
    expect(gone).toHaveLength(PARTITIONS / 2);

    const { files } = cluster.get(victim).environment;
    for (const operation of ['write', 'sync', 'rename', 'read'] as const)
      files.failNext({ operation, path: `${broken}/`, reason: 'io-error', times: Number.POSITIVE_INFINITY });
    await world.until('other leaders for what is gone, the same for what is not', ({ leaderId, isr }, id) =>
      gone.includes(id) ? leaderId > 0 && leaderId !== victim && isr.length === 2 : isr.length === 3,
    );
    expect(cluster.get(victim).broker.status().phase).toBe('running');
    await world.more(20);
    for (const { isr } of (await world.partitions()).filter((_, id) => kept.includes(id)))
      expect(isr).toContain(victim);

    // The disk is replaced: an empty one, with an id of its own.
    if (seed % 2 === 0) cluster.kill(victim, true);
    else await cluster.run(cluster.stopBroker(victim, true));
    const replacement = { path: '/data/new', id: directoryIdOf(victim, 9) };
    cluster.directories.set(victim, [
      ...cluster.directoriesOf(victim).filter(({ path }) => path === sound),
      replacement,
    ]);
    const { broker } = await cluster.run(cluster.startBroker(victim));
    await cluster.run(broker.ready);
    await world.until('everything in sync', ({ isr }) => isr.length === 3);
    await world.more(5);
    await world.stop();
    await world.until('everything in sync', ({ isr }) => isr.length === 3);
    expect(world.logsIn(victim, sound)).toEqual(expect.arrayContaining(kept));
    expect([...world.logsIn(victim, sound), ...world.logsIn(victim, replacement.path)].sort()).toEqual([
      0, 1, 2, 3,
    ]);

    // It has all of it, alone.
    for (const id of BROKERS) if (id !== victim) await cluster.run(cluster.stopBroker(id, true));
    await world.until('the victim to lead alone', ({ leaderId }) => leaderId === victim);
    const stored = new Map<string, string>();
    for (let partition = 0; partition < PARTITIONS; partition++)
      for (const [at, value] of await world.read(victim, partition)) stored.set(at, value);
    for (const [at, value] of world.acknowledged) expect([at, stored.get(at)]).toEqual([at, value]);
    expect(world.acknowledged.size).toBeGreaterThan(30 * PARTITIONS);
    expect([world.broken, cluster.fatals()]).toEqual([[], []]);
  });
});

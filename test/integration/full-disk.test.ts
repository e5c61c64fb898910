import { expect, test } from 'vitest';
import type { NodeId } from '../../src/base/index.ts';
import type { Producer } from '../../src/client/index.ts';
import {
  FillableDisk,
  type StartClusterOptions,
  startCluster,
  type TestCluster,
} from '../../src/testing/index.ts';

const SPEC = { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } };
/** More of these than a disk that is almost full takes. */
const PADDING = 'x'.repeat(4000);
const LEFT_BYTES = 100_000;

/** A disk of its own for every node. `stores`: the metadata log lies on it as well. */
class Disks {
  readonly #disks = new Map<NodeId, FillableDisk>();
  readonly #stores: boolean;

  constructor({ stores }: { readonly stores: boolean }) {
    this.#stores = stores;
  }

  of(id: NodeId): FillableDisk {
    const disk = this.#disks.get(id) ?? new FillableDisk();
    this.#disks.set(id, disk);
    return disk;
  }

  readonly environmentOf: NonNullable<StartClusterOptions['environmentOf']> = ({ id }, environment) => ({
    ...environment,
    files: this.of(id).files(environment.files),
    stores: this.#stores ? this.of(id).stores(environment.stores) : environment.stores,
  });
}

/** Sends until told to stop; a send that is refused is part of the story, its record is nobody's promise. */
class Load {
  readonly acknowledged = new Set<string>();
  readonly refused: Error[] = [];
  readonly #producer: Producer;
  readonly #lanes: Promise<void>[];
  #stopped = false;
  #sent = 0;

  constructor(cluster: TestCluster, lanes = 8) {
    this.#producer = cluster.producer({ deliveryTimeoutMs: 60_000 });
    this.#lanes = Array.from({ length: lanes }, () => this.#run());
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const value = `${this.#sent++} ${PADDING}`;
      await this.#producer.send('t', { value }).then(
        () => this.acknowledged.add(value),
        (error: Error) => this.refused.push(error),
      );
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }
}

function fullIsr(cluster: TestCluster): Promise<true> {
  return cluster.until('a full in-sync set', async () =>
    (await cluster.partitionOf('t', 0))?.isr.length === 3 ? true : undefined,
  );
}

async function valuesOf(cluster: TestCluster): Promise<(string | undefined)[]> {
  return (await cluster.readAll('t')).map((record) => record.value?.toString());
}

for (const who of ['leader', 'follower'] as const) {
  test(`a ${who} whose disk fills leaves, the others go on, and it returns with the room; nothing acknowledged is lost`, async () => {
    const disks = new Disks({ stores: false });
    await using cluster = await startCluster({ environmentOf: disks.environmentOf });
    await cluster.admin.createTopic('t', SPEC);
    await fullIsr(cluster);
    const leader = await cluster.leaderOf('t', 0);
    const victim = who === 'leader' ? leader : cluster.brokers.find((id) => id !== leader);
    if (victim === undefined) throw new Error('three brokers were asked for');

    const load = new Load(cluster);
    await cluster.until('a first record', async () => load.acknowledged.size > 0 || undefined);
    disks.of(victim).fill(LEFT_BYTES);
    await cluster.until('the end of the broker', async () => cluster.endOf(victim));
    expect(cluster.endOf(victim)).toMatchObject({ reason: 'storage', error: { reason: 'disk-full' } });
    expect(String(cluster.endOf(victim)?.error)).toContain(cluster.directoryOf(victim));

    // The two that are left take everything; the broker that went away for its disk leads nothing.
    const before = load.acknowledged.size;
    await cluster.until('more records', async () => load.acknowledged.size > before + 50 || undefined);
    expect(await cluster.leaderOf('t', 0)).not.toBe(victim);
    await load.stop();
    expect(load.refused).toEqual([]);

    disks.of(victim).free();
    await cluster.start(victim);
    await fullIsr(cluster);
    await cluster.producer().send('t', { value: 'after' });
    const read = await valuesOf(cluster);
    expect(new Set(read)).toEqual(new Set([...load.acknowledged, 'after']));
    expect(read).toHaveLength(load.acknowledged.size + 1);

    // Its own copy is whole: it answers for all of it alone.
    for (const id of cluster.brokers) if (id !== victim) await cluster.stop(id);
    await cluster.until('it leads', async () => (await cluster.leaderOf('t', 0)) === victim || undefined);
    expect(await valuesOf(cluster)).toEqual(read);
  });
}

test('a broker that stops on a full disk stops in order and starts again when there is room', async () => {
  const disks = new Disks({ stores: false });
  await using cluster = await startCluster({ environmentOf: disks.environmentOf });
  await cluster.admin.createTopic('t', SPEC);
  await fullIsr(cluster);
  await cluster.producer().send('t', { value: 'before' });
  const victim = await cluster.leaderOf('t', 0);
  disks.of(victim).fill();
  await cluster.stop(victim);
  expect(cluster.endOf(victim)).toBeUndefined();
  disks.of(victim).free();
  await cluster.start(victim);
  await fullIsr(cluster);
  await cluster.producer().send('t', { value: 'after' });
  expect(await valuesOf(cluster)).toEqual(['before', 'after']);
});

test('a controller whose disk is full ends, another takes office, and it returns with the room', async () => {
  const disks = new Disks({ stores: true });
  await using cluster = await startCluster({ environmentOf: disks.environmentOf });
  await cluster.admin.createTopic('t', SPEC);
  const victim = await cluster.activeController();
  disks.of(victim).fill();
  await cluster.until('the end of the controller', async () => cluster.endOf(victim));
  expect(cluster.endOf(victim)?.error).toMatchObject({ reason: 'disk-full' });
  expect(await cluster.activeController()).not.toBe(victim);
  await cluster.admin.createTopic('u', SPEC);
  disks.of(victim).free();
  await cluster.start(victim);
  await cluster.kill(await cluster.activeController());
  await cluster.admin.createTopic('v', SPEC);
  expect((await cluster.admin.describeTopic('u')).partitions).toHaveLength(1);
});

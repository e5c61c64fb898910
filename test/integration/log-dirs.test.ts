import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { NodeId } from '../../src/base/index.ts';
import {
  FailingDisk,
  type StartClusterOptions,
  startCluster,
  type TestCluster,
} from '../../src/testing/index.ts';

const PARTITIONS = 6;
const SPEC = {
  partitions: PARTITIONS,
  replicationFactor: 3,
  configs: { 'min.insync.replicas': '2', 'segment.bytes': '2000' },
};

interface Line {
  readonly node: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** What nodes say at level error. */
class Errors {
  readonly lines: Line[] = [];

  readonly logger = this.#child('');

  of(id: NodeId, message: string): Line[] {
    return this.lines.filter((line) => line.node === `broker-${id}` && line.message === message);
  }

  #child(node: string): NonNullable<StartClusterOptions['logger']> {
    return {
      error: (fields, message) => void this.lines.push({ node, fields, message }),
      warn() {},
      info() {},
      debug() {},
      child: (fields) => this.#child(String(fields.node ?? node)),
    };
  }
}

/** One for all nodes: their directories tell them apart. */
function environmentOver(disk: FailingDisk): NonNullable<StartClusterOptions['environmentOf']> {
  return (_node, environment) => ({ ...environment, files: disk.files(environment.files) });
}

/** Sends to every partition in turn until told to stop; only what is acknowledged is a promise. */
class Load {
  readonly acknowledged = new Set<string>();
  readonly refused: Error[] = [];
  readonly #lanes: Promise<void>[];
  #stopped = false;

  constructor(cluster: TestCluster) {
    const producer = cluster.producer({ deliveryTimeoutMs: 60_000 });
    const run = async (partition: number): Promise<void> => {
      for (let i = 0; !this.#stopped; i++) {
        const value = `${partition}:${i}`;
        await producer.send('t', { partition, value }).then(
          () => this.acknowledged.add(value),
          (error: Error) => this.refused.push(error),
        );
      }
    };
    this.#lanes = Array.from({ length: PARTITIONS }, (_, partition) => run(partition));
  }

  /** Resolves when every partition has acknowledged `count` more. */
  async more(cluster: TestCluster, count: number): Promise<void> {
    const before = this.#counts();
    await cluster.until('more records in every partition', async () => {
      const now = this.#counts();
      return now.every((has, partition) => has >= (before[partition] ?? 0) + count) || undefined;
    });
  }

  #counts(): number[] {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (const value of this.acknowledged) {
      const partition = Number(value.split(':')[0]);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    return counts;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }
}

async function fullIsr(cluster: TestCluster, size = 3): Promise<void> {
  await cluster.until('full in-sync sets', async () => {
    const { partitions } = await cluster.admin.describeTopic('t');
    return partitions.every(({ isr }) => isr.length === size) || undefined;
  });
}

async function valuesOf(cluster: TestCluster): Promise<(string | undefined)[]> {
  return (await cluster.readAll('t')).map((record) => record.value?.toString());
}

/** Directories of logs of the topic below `directory`, by name. */
async function logsIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /^t-\d+$/.test(name)).sort();
}

async function equalReplicas(cluster: TestCluster, partition: number, toOffset: number): Promise<void> {
  await cluster.until('equal replicas', async () => {
    const verdict = await cluster.admin.verifyLog('t', partition);
    return (verdict.kind === 'equal' && verdict.toOffset === toOffset) || undefined;
  });
}

function directoryOf(cluster: TestCluster, id: NodeId, index: number): string {
  const directory = cluster.directoriesOf(id)[index];
  if (directory === undefined) throw new Error(`broker ${id} has no directory ${index}`);
  return directory;
}

test('one of two directories fails alone: its leaders move, the other serves on, and it returns with the disk', async () => {
  const disk = new FailingDisk();
  const errors = new Errors();
  await using cluster = await startCluster({
    logDirs: 2,
    environmentOf: environmentOver(disk),
    logger: errors.logger,
  });
  await cluster.admin.createTopic('t', SPEC);
  await fullIsr(cluster);
  for (const id of cluster.brokers) {
    const [first, second] = [directoryOf(cluster, id, 0), directoryOf(cluster, id, 1)];
    const logs = [await logsIn(first), await logsIn(second)];
    expect(logs.map((names) => names.length)).toEqual([PARTITIONS / 2, PARTITIONS / 2]);
    expect(new Set(logs.flat()).size).toBe(PARTITIONS);
  }

  const load = new Load(cluster);
  await load.more(cluster, 1);
  const victim = await cluster.leaderOf('t', 0);
  const broken =
    cluster.directoriesOf(victim)[(await logsIn(directoryOf(cluster, victim, 0))).includes('t-0') ? 0 : 1] ??
    '';
  const gone = (await logsIn(broken)).map((name) => Number(name.split('-')[1]));
  disk.break(broken);

  await cluster.until('the leaders to move', async () => {
    const { partitions } = await cluster.admin.describeTopic('t');
    return (
      partitions.every(({ leaderId, isr }, partition) =>
        gone.includes(partition)
          ? leaderId !== victim && leaderId >= 0 && !isr.includes(victim)
          : isr.includes(victim),
      ) || undefined
    );
  });
  expect(cluster.endOf(victim)).toBeUndefined();
  const [said] = errors.of(victim, 'data directory is offline');
  expect(said?.fields).toMatchObject({
    directory: broken,
    wayOut: expect.stringContaining('start the broker again'),
  });
  await load.more(cluster, 20);

  await cluster.stop(victim);
  disk.mend(broken);
  await cluster.start(victim);
  await fullIsr(cluster);
  await load.more(cluster, 5);
  await load.stop();
  expect(load.refused).toEqual([]);
  const read = await valuesOf(cluster);
  expect(new Set(read)).toEqual(load.acknowledged);
  expect(read).toHaveLength(load.acknowledged.size);
  for (const partition of gone) {
    const count = read.filter((value) => value?.startsWith(`${partition}:`)).length;
    await equalReplicas(cluster, partition, count);
  }
  expect((await logsIn(broken)).map((name) => Number(name.split('-')[1]))).toEqual(gone);
});

test('a directory that cannot be read at the start is offline, and the broker serves the others', async () => {
  const disk = new FailingDisk();
  const errors = new Errors();
  await using cluster = await startCluster({
    logDirs: 2,
    environmentOf: environmentOver(disk),
    logger: errors.logger,
  });
  await cluster.admin.createTopic('t', SPEC);
  await fullIsr(cluster);
  const producer = cluster.producer();
  for (let partition = 0; partition < PARTITIONS; partition++)
    await producer.send('t', { partition, value: `${partition}` });

  const [victim = -1] = cluster.brokers;
  const broken = directoryOf(cluster, victim, 1);
  const gone = (await logsIn(broken)).map((name) => Number(name.split('-')[1]));
  await cluster.stop(victim);
  disk.break(broken);
  await cluster.start(victim);
  await cluster.until('the sound half in sync', async () => {
    const { partitions } = await cluster.admin.describeTopic('t');
    return (
      partitions.every(({ isr }, partition) => isr.includes(victim) !== gone.includes(partition)) || undefined
    );
  });
  expect(errors.of(victim, 'data directory is offline')).toMatchObject([{ fields: { directory: broken } }]);
  // Nothing was made anew elsewhere in place of what may be there.
  expect(await logsIn(directoryOf(cluster, victim, 0))).toHaveLength(PARTITIONS / 2);
  for (let partition = 0; partition < PARTITIONS; partition++)
    await producer.send('t', { partition, value: `${partition} later` });

  await cluster.stop(victim);
  disk.mend(broken);
  await cluster.start(victim);
  await fullIsr(cluster);
  for (let partition = 0; partition < PARTITIONS; partition++) await equalReplicas(cluster, partition, 2);
});

/** Turns a bit of the first closed segment of t-0, behind the broker's back. Gives the file. */
async function turnBit(cluster: TestCluster, id: NodeId): Promise<string> {
  const log = join(cluster.directoryOf(id), 't-0');
  const [closed, ...others] = (await readdir(log)).filter((name) => name.endsWith('.log')).sort();
  if (closed === undefined || others.length === 0) throw new Error(`${log} has no closed segment`);
  const path = join(log, closed);
  await flip(path);
  return path;
}

/** The same again puts it right. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[700] = (bytes[700] ?? 0) ^ 4;
  await writeFile(path, bytes);
}

const COUNT = 20;
const WHOLE = Array.from({ length: COUNT }, (_, i) => `${i} ${'x'.repeat(400)}`);
const NO_SCRUB = { 'log.scrub.bytes.per.second': '0' };
const SCRUB = { 'log.scrub.interval.ms': '200', 'log.scrub.bytes.per.second': '10000000' };

/** Two brokers, one partition with closed segments, equal on both. */
async function withClosedSegments(options: StartClusterOptions = {}): Promise<TestCluster> {
  const cluster = await startCluster({ controllers: 1, brokers: 2, settings: SCRUB, ...options });
  const configs = { 'segment.bytes': '2000', 'min.insync.replicas': '1' };
  await cluster.admin.createTopic('t', { assignments: [[1, 2]], configs });
  await fullIsr(cluster, 2);
  const producer = cluster.producer();
  for (const value of WHOLE) await producer.send('t', { value });
  await equalReplicas(cluster, 0, COUNT);
  return cluster;
}

test('a bit turned in a closed segment of a follower: set aside, fetched anew, in sync, equal', async () => {
  const errors = new Errors();
  await using cluster = await withClosedSegments({ logger: errors.logger });
  await cluster.stop(2);
  const file = await turnBit(cluster, 2);
  const damaged = await readFile(file);
  await cluster.start(2);
  const aside = await cluster.until('the damaged files aside', async () =>
    (await readdir(cluster.directoryOf(2))).find((name) => /^t-0\..*-damaged$/.test(name)),
  );
  await cluster.producer().send('t', { value: 'after' });
  await equalReplicas(cluster, 0, COUNT + 1);
  await fullIsr(cluster, 2);
  expect(await readFile(join(cluster.directoryOf(2), aside, basename(file)))).toEqual(damaged);
  expect(errors.lines.some(({ fields }) => fields.file === file)).toBe(true);
  await cluster.stop(1);
  await cluster.until('it leads', async () => (await cluster.leaderOf('t', 0)) === 2 || undefined);
  expect(await valuesOf(cluster)).toEqual([...WHOLE, 'after']);
});

test('a bit turned on the last in-sync replica: offline, never served, until its file is put back', async () => {
  const errors = new Errors();
  await using cluster = await withClosedSegments({ logger: errors.logger, settings: NO_SCRUB });
  await cluster.stop(2);
  await cluster.producer().send('t', { value: 'on one alone' });
  expect((await cluster.partitionOf('t', 0))?.isr).toEqual([1]);
  await cluster.stop(1);
  const file = await turnBit(cluster, 1);
  await cluster.start(1);
  const served: (string | undefined)[] = [];
  await using consumer = cluster.client.consumer({ topic: 't', from: 'beginning' });
  const reading = (async () => {
    for await (const record of consumer) served.push(record.value?.toString());
  })();
  reading.catch(() => {});
  await cluster.until(
    'the damage to be read',
    async () => errors.of(1, 'log is offline').length > 0 || undefined,
  );
  await cluster.until(
    'the log to be offline',
    async () => (await cluster.partitionOf('t', 0))?.leaderId === -1 || undefined,
  );
  // Nor does the other one lead, who lacks a record.
  await cluster.start(2);
  expect(await cluster.partitionOf('t', 0)).toMatchObject({ leaderId: -1, isr: [1] });
  await expect(
    cluster.producer({ deliveryTimeoutMs: 500 }).send('t', { value: 'refused' }),
  ).rejects.toThrow();
  // What was sent lies before the damage.
  expect(served).toEqual(WHOLE.slice(0, served.length));
  expect(served.length).toBeLessThan(2);
  const said = errors.lines.find(
    ({ node, fields }) => node === 'broker-1' && fields.file === file && fields.wayOut !== undefined,
  );
  expect(said?.fields.wayOut).toContain('restore the file and start the broker again');
  expect(await readdir(dirname(dirname(file)))).not.toContainEqual(expect.stringContaining('-damaged'));

  await cluster.stop(1);
  await flip(file);
  await cluster.start(1);
  expect(await cluster.leaderOf('t', 0)).toBe(1);
  await fullIsr(cluster, 2);
  await equalReplicas(cluster, 0, COUNT + 1);
  expect(await valuesOf(cluster)).toEqual([...WHOLE, 'on one alone']);
});

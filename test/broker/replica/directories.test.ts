import { describe, expect, it } from 'vitest';
import {
  CorruptionError,
  type NodeId,
  randomUuid,
  SeededRandom,
  type Uuid,
} from '../../../src/base/index.ts';
import { DEFAULT_LOG_CONFIG, openLogManager } from '../../../src/log/index.ts';
import { LOST_DIRECTORY, type MetadataRecord, UNASSIGNED_DIRECTORY } from '../../../src/metadata/index.ts';
import { batchOf, type TestBroker, TestCluster, TOPIC, TOPIC_ID } from './cluster.ts';

const A: Uuid = 'ZGlyZWN0b3J5LWEtZGlyYQ';
const B: Uuid = 'ZGlyZWN0b3J5LWItZGlyYg';
const TWO = [
  { path: 'data', id: A },
  { path: 'more', id: B },
];
const OLD_ID: Uuid = 'b2xkLW9sZC1vbGQtb2xkLQ';
const VALUES = ['a', 'b', 'c'];

/** Broker 1 has two directories, 2 has one. One partition on `replicas`, led by the first of them. */
async function world(options: { replicas?: NodeId[]; named?: Uuid } = {}) {
  const { replicas = [1, 2], named = UNASSIGNED_DIRECTORY } = options;
  const cluster = new TestCluster({ brokers: 2 });
  const [one, two] = [cluster.get(1), cluster.get(2)];
  one.directories = TWO;
  two.directories = [{ path: 'data', id: 'ZGlyZWN0b3J5LWMtZGlyYw' }];
  await cluster.finish(Promise.all([one.start(), two.start()]));
  cluster.commit(...topic(replicas, named));
  await cluster.settled();
  return { cluster, one, two };
}

function topic(replicas: NodeId[], named: Uuid, topicId = TOPIC_ID): MetadataRecord[] {
  return [
    { kind: 'topic', name: TOPIC, topicId },
    {
      kind: 'partition',
      partitionId: 0,
      topicId,
      replicas,
      isr: replicas,
      addingReplicas: [],
      removingReplicas: [],
      leader: replicas[0] ?? -1,
      leaderRecoveryState: 'recovered',
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map((id) => (id === 1 ? named : UNASSIGNED_DIRECTORY)),
    },
  ];
}

async function produce(cluster: TestCluster, id: NodeId, values = VALUES): Promise<void> {
  for (const value of values)
    expect(await cluster.finish(cluster.get(id).produce([value]))).toMatchObject({ error: 'NONE' });
}

/** A log of `values` in a directory of a broker that does not run. */
async function plant(
  cluster: TestCluster,
  { environment }: TestBroker,
  path: string,
  values: string[],
  topicId = TOPIC_ID,
): Promise<void> {
  const make = async () => {
    const logs = await openLogManager({
      directories: [{ path }],
      environment,
      defaults: DEFAULT_LOG_CONFIG,
      tailCacheBytes: 0,
    });
    const log = await logs.create(TOPIC, 0, topicId, DEFAULT_LOG_CONFIG);
    for (const value of values) log.appendAsLeader(batchOf([value]), { leaderEpoch: 0, nowMs: 0 });
    await log.whenFlushed(values.length);
    await logs.close({ brokerEpoch: 1 });
  };
  await cluster.finish(make());
}

const directoriesOf = ({ logs }: TestBroker) => logs.findAll(TOPIC, 0).map(({ directory }) => directory);
const namedFor = (cluster: TestCluster) => cluster.registration().directories[0];
const aside = ({ environment }: TestBroker, kind: string) =>
  environment.files.paths().filter((path) => path.endsWith(`-${kind}`));

async function inSync(cluster: TestCluster, size: number): Promise<void> {
  expect(await cluster.until(() => cluster.registration().isr.length === size, 20_000)).toBe(true);
}

describe('one partition found in two directories', () => {
  it('is served from the one that the metadata name, however old the other; that one is kept aside', async () => {
    for (const stale of [[], ['a'], [...VALUES, 'never acknowledged']]) {
      const { cluster, one } = await world({ replicas: [1] });
      await produce(cluster, 1);
      expect(namedFor(cluster)).toBe(A);
      one.kill('process');
      await plant(cluster, one, 'more', stale);
      await cluster.finish(one.start());
      await cluster.run(1_000);
      expect(directoriesOf(one)).toEqual([`data/${TOPIC}-0`]);
      expect(await one.contents()).toEqual(VALUES);
      await produce(cluster, 1, ['d']);
      expect(aside(one, 'stray')).toHaveLength(1);
      expect(cluster.registration()).toMatchObject({ leader: 1, isr: [1], directories: [A] });
    }
  });

  it('is served from neither when the metadata name neither, and fetched anew', async () => {
    const { cluster, one } = await world();
    await produce(cluster, 1);
    one.kill('process');
    one.directories = [{ path: 'new', id: randomUuid(new SeededRandom(1, 'disk')) }, ...TWO];
    await plant(cluster, one, 'more', ['x']);
    cluster.commit({
      kind: 'partition-change',
      partitionId: 0,
      topicId: TOPIC_ID,
      directories: [one.directories[0]?.id ?? '', UNASSIGNED_DIRECTORY],
    });
    await cluster.finish(one.start());
    await inSync(cluster, 2);
    expect(await one.contents()).toEqual(VALUES);
    expect(directoriesOf(one)).toHaveLength(1);
    expect(aside(one, 'damaged')).toHaveLength(2);
  });
});

describe('a directory that comes back', () => {
  it('with the log of a topic that is gone harms no log of the topic that has its name now', async () => {
    for (const path of ['data', 'more']) {
      const other = path === 'data' ? 'more' : 'data';
      const { cluster, one } = await world({ replicas: [1], named: other === 'data' ? A : B });
      await produce(cluster, 1);
      expect(directoriesOf(one)).toEqual([`${other}/${TOPIC}-0`]);
      one.kill('process');
      await plant(cluster, one, path, ['old'], OLD_ID);
      await cluster.finish(one.start());
      await cluster.run(1_000);
      expect(await one.contents()).toEqual(VALUES);
      expect(aside(one, 'stray')).toEqual([expect.stringMatching(`^/${path}/`)]);
      expect(cluster.registration()).toMatchObject({ leader: 1, isr: [1] });
    }
  });

  it('is not led from when the log in sync is in another that is gone: that may be a newer one', async () => {
    const { cluster, one } = await world({ replicas: [1], named: B });
    await produce(cluster, 1);
    one.kill('process');
    // The disk of B goes, and another that was there before comes.
    one.directories = [
      { path: 'data', id: A },
      { path: 'older', id: randomUuid(new SeededRandom(1, 'x')) },
    ];
    await plant(cluster, one, 'older', ['a']);
    await cluster.finish(one.start());
    await cluster.run(5_000);
    expect(cluster.registration()).toMatchObject({ leader: -1, isr: [1], directories: [B] });
    expect(one.manager.find(TOPIC, 0)).toBeUndefined();
    const said = one.environment.logger.lines.filter(({ level }) => level === 'error');
    expect(said.map(({ message }) => message)).toEqual(['a replica stays offline until a person decides']);
    expect(said[0]?.fields.why).toMatch(/is not here; the log that was found in .* may be an older one/);
    one.kill('process');
    one.directories = TWO;
    await cluster.finish(one.start());
    await cluster.run(1_000);
    expect(cluster.registration()).toMatchObject({ leader: 1, directories: [B] });
    expect(await one.contents()).toEqual(VALUES);
  });

  it('after its damaged log was made anew elsewhere leaves the new one alone', async () => {
    const { cluster, one } = await world({ replicas: [2, 1], named: A });
    await produce(cluster, 2);
    one.replica().log.takeOffline(new CorruptionError('x.log', 1, 'a batch', 'another'));
    one.environment.files.failNext({ operation: 'rename', path: `data/${TOPIC}-0`, reason: 'io-error' });
    await cluster.until(() => namedFor(cluster) === B, 20_000);
    await inSync(cluster, 2);
    expect(one.logs.offlineDirectories).toEqual([A]);
    expect(await one.contents()).toEqual(VALUES);
    one.kill('process');
    await cluster.finish(one.start());
    await inSync(cluster, 2);
    expect(directoriesOf(one)).toEqual([`more/${TOPIC}-0`]);
    expect(await one.contents()).toEqual(VALUES);
    expect(aside(one, 'stray')).toEqual([expect.stringMatching(/^.data\//)]);
  });
});

describe('a directory that fails', () => {
  const breaks = (broker: TestBroker, path: string) =>
    broker.environment.files.failNext({ operation: 'sync', path, reason: 'io-error' });

  it('after its log was found damaged, before the metadata know, does not keep the broker busy for ever', async () => {
    const { cluster, one } = await world({ replicas: [2, 1], named: A });
    await produce(cluster, 2);
    one.held = true;
    one.replica().log.takeOffline(new CorruptionError('x.log', 1, 'a batch', 'another'));
    await cluster.until(() => cluster.registration().directories[1] === LOST_DIRECTORY, 5_000);
    await cluster.until(() => namedFor(cluster) === LOST_DIRECTORY, 5_000);
    // Another log of the directory meets a disk that is dead.
    const other = await cluster.finish(one.logs.create('u', 0, OLD_ID, DEFAULT_LOG_CONFIG, A));
    breaks(one, 'data/u-0');
    other.appendAsLeader(batchOf(['x']), { leaderEpoch: 0, nowMs: 0 });
    await cluster.until(() => one.logs.offlineDirectories.length === 1, 5_000);
    one.held = false;
    one.tell();
    await inSync(cluster, 2);
    expect(directoriesOf(one)).toEqual([`more/${TOPIC}-0`]);
    expect(await one.contents()).toEqual(VALUES);
  });

  it('does not keep the name of a topic that is deleted and made again', async () => {
    const { cluster, one } = await world({ replicas: [1], named: A });
    breaks(one, `data/${TOPIC}-0`);
    expect(await cluster.finish(one.produce(['x']))).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' });
    await cluster.run(100);
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    await cluster.settled();
    cluster.commit(...topic([1], B, OLD_ID));
    await cluster.settled();
    expect(directoriesOf(one)).toEqual([`more/${TOPIC}-0`]);
    await produce(cluster, 1);
    one.kill('process');
    await cluster.finish(one.start());
    await cluster.run(1_000);
    expect(await one.contents()).toEqual(VALUES);
    expect(aside(one, 'stray')).toEqual([expect.stringMatching(/^.data\//)]);
  });
});

describe('a stray log, of a partition that moved to other brokers', () => {
  it('gives way to the log of the next topic of its name, which owes nothing to it', async () => {
    const { cluster, one } = await world();
    await produce(cluster, 1);
    one.kill('process');
    const [, other = ''] = cluster.registration().directories;
    cluster.commit({
      kind: 'partition-change',
      partitionId: 0,
      topicId: TOPIC_ID,
      replicas: [2],
      isr: [2],
      leader: 2,
      directories: [other],
    });
    await cluster.finish(one.start());
    expect([directoriesOf(one).length, one.manager.find(TOPIC, 0)]).toEqual([1, undefined]);
    cluster.commit({ kind: 'remove-topic', topicId: TOPIC_ID });
    cluster.commit(...topic([1], B, OLD_ID));
    await cluster.settled();
    expect(directoriesOf(one)).toEqual([`more/${TOPIC}-0`]);
    await produce(cluster, 1, ['new']);
    expect(await one.contents()).toEqual(['new']);
  });
});

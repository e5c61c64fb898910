import { cp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../src/env/index.ts';
import { BATCH_HEADER_BYTES, BatchBuilder } from '../../src/log/record/index.ts';
import type { Connection, FetchRequest, ProduceRequest, Transport } from '../../src/rpc/api/index.ts';
import { createGrpcTransport } from '../../src/rpc/grpc/index.ts';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';
import { expectPlainWords, quorate } from './cli/command.ts';

let cluster: TestCluster;
let transport: Transport;
let leader: Connection;

beforeAll(async () => {
  cluster = await startCluster({ controllers: 1, brokers: 1 });
  await cluster.admin.createTopic('t', { partitions: 1, replicationFactor: 1 });
  await cluster.producer().send('t', { value: 'kept' });
  transport = createGrpcTransport({ logger: SILENT });
  const [host = '', port] = cluster.bootstrap.split(':');
  leader = transport.connect({ host, port: Number(port) });
});

afterAll(async () => {
  await transport?.close();
  await cluster?.close();
});

const CALL = { timeoutMs: 10_000 };

function batchOf(value: string | Uint8Array): Uint8Array {
  const builder = new BatchBuilder({ compression: 'none' });
  builder.append({ value: Buffer.from(value), headers: [], timestampMs: 1 });
  return builder.build();
}

/** A good batch with one byte changed. */
function spoilt(position: number): Uint8Array {
  const batch = batchOf('never kept');
  batch[position] = (batch[position] ?? 0) ^ 0x55;
  return batch;
}

async function produce(
  batch: Uint8Array,
  topic = 't',
  partition = 0,
): Promise<{ error: string; words: string }> {
  const request: ProduceRequest = {
    correlationId: 1,
    clientId: 'bad',
    acks: -1,
    timeoutMs: 5000,
    partitions: [{ topic, partition, batch }],
    plain: [],
    forwarded: false,
  };
  const [reply] = (await leader.broker.produce(request, CALL)).partitions;
  return { error: reply?.error ?? '', words: reply?.errorMessage ?? '' };
}

async function fetch(fetchOffset: number, topic = 't'): Promise<{ error: string; words: string }> {
  const request: FetchRequest = {
    correlationId: 1,
    clientId: 'bad',
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1000,
    isolation: 'read_uncommitted',
    partitions: [{ topic, partition: 0, fetchOffset, currentLeaderEpoch: -1, maxBytes: 1000 }],
    plain: false,
    forwarded: false,
  };
  const [reply] = (await leader.broker.fetch(request, CALL)).partitions;
  return { error: reply?.error ?? '', words: reply?.errorMessage ?? '' };
}

describe('a broker refuses, names why, and keeps what it has', () => {
  // Of the batch header: length at 8, magic at 16, CRC at 17, count at 57.
  it.each([
    ['no bytes', () => new Uint8Array(0), 'CORRUPT_MESSAGE'],
    ['half a header', () => batchOf('x').slice(0, BATCH_HEADER_BYTES / 2), 'CORRUPT_MESSAGE'],
    ['a cut batch', () => batchOf('x').slice(0, -1), 'CORRUPT_MESSAGE'],
    ['bytes after the batch', () => Buffer.concat([batchOf('x'), Buffer.from('more')]), 'CORRUPT_MESSAGE'],
    ['two batches', () => Buffer.concat([batchOf('x'), batchOf('y')]), 'CORRUPT_MESSAGE'],
    ['a wrong length', () => spoilt(11), 'CORRUPT_MESSAGE'],
    ['a wrong magic', () => spoilt(16), 'UNSUPPORTED_VERSION'],
    ['a wrong CRC', () => spoilt(20), 'CORRUPT_MESSAGE'],
    ['a wrong byte in a record', () => spoilt(BATCH_HEADER_BYTES + 3), 'CORRUPT_MESSAGE'],
    ['a wrong count', () => spoilt(60), 'CORRUPT_MESSAGE'],
    ['noise', () => Buffer.alloc(500, 'noise'), 'CORRUPT_MESSAGE'],
    ['more than message.max.bytes', () => batchOf(Buffer.alloc(2_000_000)), 'MESSAGE_TOO_LARGE'],
  ])('a batch that is %s', async (_what, batch, error) => {
    const refusal = await produce(batch());
    expect(refusal).toEqual({ error, words: expect.stringMatching(/\w+ \w+/) });
  });

  it('more than a message of gRPC may hold', async () => {
    await expect(produce(Buffer.alloc(80_000_000))).rejects.toThrow(
      /80000023 bytes; at most \d+ are allowed/,
    );
  });

  it.each([
    ['an unknown topic', 'nowhere', 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a partition beyond the last', 't', 1, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a negative partition', 't', -1, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a topic that is a path', '../x', 0, 'INVALID_TOPIC_EXCEPTION'],
  ])('%s', async (_what, topic, partition, error) => {
    const refusal = await produce(batchOf('x'), topic, partition);
    expect(refusal.error).toBe(error);
    expect(refusal.words).toContain(topic);
  });

  it('an offset below 0 or beyond the end', async () => {
    expect(await fetch(-5)).toMatchObject({
      error: 'OFFSET_OUT_OF_RANGE',
      words: expect.stringContaining('-5'),
    });
    expect(await fetch(99)).toMatchObject({
      error: 'OFFSET_OUT_OF_RANGE',
      words: expect.stringContaining('99'),
    });
    expect(await fetch(0, 'nowhere')).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  it('a key that is no topic configuration', async () => {
    const create = (configs: Record<string, string>) => cluster.admin.createTopic('odd', { configs });
    await expect(create({ 'retention.msec': '1' })).rejects.toThrow(/retention\.msec.*retention\.ms/);
    await expect(create({ 'retention.ms': 'soon' })).rejects.toThrow(/retention\.ms.*soon/);
  });

  it('and after all of that the record from before is there, alone', async () => {
    expect((await cluster.readAll('t')).map((record) => record.value?.toString())).toEqual(['kept']);
    await cluster.producer().send('t', { value: 'and more' });
    expect(await cluster.readAll('t')).toHaveLength(2);
  });
});

describe('a server that must not start says why, and how it can', () => {
  let directory: string;
  const settings = (over: Record<string, string> = {}): string[] =>
    Object.entries({
      'process.roles': 'controller',
      'node.id': '101',
      'controller.quorum.voters': '101@127.0.0.1:1',
      listeners: 'CONTROLLER://127.0.0.1:1',
      'log.dirs': directory,
      ...over,
    }).flatMap(([key, value]) => ['--set', `${key}=${value}`]);

  async function refusal(words: readonly string[]): Promise<string> {
    const { code, stderr } = await quorate(['server', ...words]);
    expect(code).toBe(1);
    return expectPlainWords(stderr);
  }

  /** The directory of a controller that ran. */
  beforeAll(async () => {
    const other = await startCluster({ controllers: 1, brokers: 1 });
    try {
      await other.stop(1);
      await other.stop(101);
      directory = `${cluster.directoryOf(101)}-other`;
      await cp(other.directoryOf(101), `${directory}-sound`, { recursive: true });
    } finally {
      await other.close();
    }
  });

  beforeEach(async () => {
    await rm(directory, { recursive: true, force: true });
    await cp(`${directory}-sound`, directory, { recursive: true });
  });

  it('its directory belongs to another node', async () => {
    const other = { 'node.id': '102', 'controller.quorum.voters': '102@127.0.0.1:1' };
    expect(await refusal(settings(other))).toMatch(
      /belongs to node 101, but this node is node 102; use another/,
    );
  });

  it('its directory belongs to another cluster', async () => {
    const id = 'AAAAAAAAAAAAAAAAAAAAAA';
    expect(await refusal(settings({ 'cluster.id': id }))).toMatch(
      new RegExp(`belongs to cluster \\S{22}, but this node is configured for cluster ${id}; use another`),
    );
  });

  it.each([
    ['.log', /confirmed entries are lost|damaged/],
    ['MANIFEST', /damaged at byte|lost its beginning/],
  ])('a damaged file of LevelDB (%s) puts it into quarantine', async (name, pattern) => {
    const store = join(directory, '__cluster_metadata-0', 'log');
    const file = (await readdir(store)).find((one) => one.includes(name)) ?? '';
    const handle = await open(join(store, file), 'r+');
    await handle.write(Buffer.alloc(20, 'X'), 0, 20, 12);
    await handle.close();
    const words = await refusal(settings());
    expect(words).toMatch(/^error: node 101 is in quarantine: /);
    expect(words).toMatch(pattern);
    expect(words).toContain('Move the directory aside');
  });

  it('its metadata log was removed', async () => {
    await rm(join(directory, '__cluster_metadata-0'), { recursive: true });
    expect(await refusal(settings())).toMatch(/is missing although .* is formatted: .* Restore it, or move/);
  });

  it('its meta.properties is not one', async () => {
    await writeFile(join(directory, 'meta.properties'), 'nonsense');
    expect(await refusal(settings())).toMatch(/cannot understand .*meta\.properties.* restore the file/);
  });

  it('its port is taken', async () => {
    const taken = { listeners: `CONTROLLER://${cluster.bootstrap}` };
    const words = await refusal(settings(taken));
    expect(words).toContain(`${cluster.bootstrap} is in use by another program: stop it, or`);
  });

  it('its directory is in use by a running node', async () => {
    const words = await refusal(settings({ 'log.dirs': cluster.directoryOf(101) }));
    expect(words).toMatch(/is in use: .*; stop that node, or give this one another directory/);
  });

  it.each([
    [['--config', '/no/such/file.yaml'], /there is no file \/no\/such\/file\.yaml/],
    [['--set', 'nonsense'], /--set takes key=value, not "nonsense"/],
    [
      ['--set', 'num.partition=1'],
      /unknown configuration key "num\.partition" \(--set\); did you mean "num\.partitions"\?/,
    ],
    [['--set', 'node.id=minus'], /node\.id \(--set\) must be a whole number, not "minus"/],
    [['--set', 'node.id=1'], /the key process\.roles is missing/],
  ])('%j', async (words, pattern) => {
    expect(await refusal(words)).toMatch(pattern);
  });

  it('its file is not YAML', async () => {
    const file = join(directory, 'garbage.yaml');
    await writeFile(file, 'a: [b\n c: : d');
    expect(await refusal(['--config', file])).toMatch(/garbage\.yaml is neither YAML nor JSON: /);
  });

  it('a variable of the environment is mistyped', async () => {
    const { code, stderr } = await quorate(['server'], { env: { QUORATE_NOD_ID: '1' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/QUORATE_NOD_ID; did you mean QUORATE_NODE_ID\?/);
  });
});

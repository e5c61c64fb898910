import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type TestCluster } from '../../../src/testing/index.ts';
import { type CommandOptions, type CommandResult, expectPlainWords, quorate } from './command.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({ controllers: 3, brokers: 3 });
});

afterAll(() => cluster?.close());

function run(words: string, options: CommandOptions = {}): Promise<CommandResult> {
  return quorate(words.split(' '), { bootstrap: cluster.bootstrap, ...options });
}

async function runWell(words: string, options: CommandOptions = {}): Promise<CommandResult> {
  const result = await run(words, options);
  expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code: 0 });
  return result;
}

async function topicWith(name: string, values: readonly string[]): Promise<void> {
  await cluster.admin.createTopic(name, { partitions: 1, replicationFactor: 3 });
  await using producer = cluster.client.producer();
  await producer.send(
    name,
    values.map((value, i) => ({ key: `k${i}`, value, headers: { h: `${i}` }, timestampMs: 1000 + i })),
  );
}

describe('topics', () => {
  it('creates, lists, describes and deletes, for people', async () => {
    const created = await runWell(
      'topics create seen --partitions 2 --replication-factor 3 --config min.insync.replicas=2',
    );
    expect(created.stdout).toBe('Created topic seen with 2 partitions and replication factor 3.\n');
    expect((await runWell('topics list')).stdout.split('\n')).toContain('seen');
    const [head, ...partitions] = (await runWell('topics describe seen')).stdout.trimEnd().split('\n');
    expect(head).toMatch(
      /^Topic: seen\tTopicId: \S{22}\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: min.insync.replicas=2$/,
    );
    expect(partitions).toHaveLength(2);
    expect(partitions[1]).toMatch(
      /^\tTopic: seen\tPartition: 1\tLeader: [123]\tReplicas: [123],[123],[123]\tIsr: [123],[123],[123]$/,
    );
    expect((await runWell('topics delete seen')).stdout).toBe('Deleted topic seen.\n');
    expect((await runWell('topics list')).stdout.split('\n')).not.toContain('seen');
  });

  it('answers with JSON under the names of the .proto files', async () => {
    const [created] = (
      await runWell(
        'topics create told --partitions 1 --replication-factor 3 --config retention.ms=5000 --json',
      )
    ).json();
    expect(created).toEqual({
      name: 'told',
      topic_id: expect.any(String),
      partitions: 1,
      replication_factor: 3,
    });
    const partition = {
      partition: 0,
      leader_id: expect.any(Number),
      leader_epoch: expect.any(Number),
      partition_epoch: expect.any(Number),
      replicas: [expect.any(Number), expect.any(Number), expect.any(Number)],
      isr: [expect.any(Number), expect.any(Number), expect.any(Number)],
      offline_replicas: [],
    };
    const told = { name: 'told', topic_id: created?.topic_id, partitions: [partition] };
    expect((await runWell('topics list --json')).json()).toContainEqual(told);
    expect((await runWell('topics describe told --json')).json()).toEqual([
      { ...told, configs: { 'retention.ms': '5000' } },
    ]);
    expect((await runWell('topics delete told --json')).json()).toEqual([
      { name: 'told', topic_id: created?.topic_id },
    ]);
  });

  it('deletes the oldest records of partitions, and tells what came of each', async () => {
    await cluster.admin.createTopic('aged', { partitions: 2, replicationFactor: 3 });
    await using producer = cluster.client.producer();
    for (const partition of [0, 1])
      await producer.send(
        'aged',
        ['a', 'b', 'c', 'd'].map((value) => ({ value, partition })),
      );
    const told = await runWell(
      'topics delete-records aged --partition 0 --partition 1:end --before-offset 3',
    );
    expect(told.stdout).toBe('partition: aged-0\tlow_watermark: 3\npartition: aged-1\tlow_watermark: 4\n');
    const again = await runWell('topics delete-records aged --partition 0:1 --json');
    expect(again.json()).toEqual([{ topic: 'aged', partition: 0, low_watermark: 3 }]);
    const left = await runWell('consume aged --from-beginning --timeout-ms 1000 --format %p:%o:%v');
    expect(left.stdout.trim()).toBe('0:3:d');
    expect((await runWell('topics offsets aged')).stdout).toBe('aged:0:4\naged:1:4\n');
    expect((await runWell('topics offsets aged --time earliest')).stdout).toBe('aged:0:3\naged:1:4\n');
    expect((await runWell('topics offsets aged --time 1000')).stdout).toBe('aged:0:3\naged:1:\n');
    const newest = (await runWell('topics offsets aged --time max-timestamp --json')).json();
    expect(newest).toMatchObject([
      { offset: 3 },
      { topic: 'aged', partition: 1, offset: -1, timestamp_ms: -1 },
    ]);
    const beyond = await run('topics delete-records aged --partition 0:9 --partition 1:4');
    expect(beyond).toMatchObject({ code: 1, stdout: 'partition: aged-1\tlow_watermark: 4\n' });
    expect(beyond.stderr).toMatch(/OFFSET_OUT_OF_RANGE.*high watermark 4, not 9/);
  });

  it('creating a topic again is refused unless --if-not-exists', async () => {
    await runWell('topics create twice --partitions 1 --replication-factor 1');
    const again = await run('topics create twice');
    expect(again.code).toBe(1);
    expect(expectPlainWords(again.stderr)).toMatch(/^error: TOPIC_ALREADY_EXISTS: .*twice/);
    expect((await runWell('topics create twice --if-not-exists')).stdout).toContain('exists already');
  });
});

describe('produce and consume', () => {
  const awkward = Buffer.concat([
    Buffer.from('first\r\n\n\n  spaces  \ttab\n'),
    Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]),
    Buffer.from(`${'long '.repeat(60_000)}\n`),
    Buffer.from('no newline at the end'),
  ]);

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('lines come back byte for byte (%s)', async (codec) => {
    const topic = `bytes-${codec}`;
    await cluster.admin.createTopic(topic, { partitions: 1, replicationFactor: 3 });
    await runWell(`produce ${topic} --compression ${codec}`, { stdin: awkward });
    const read = await runWell(`consume ${topic} --from-beginning --max-messages 7`);
    expect(read.bytes.equals(Buffer.concat([awkward, Buffer.from('\n')]))).toBe(true);
    expect(read.stderr).toBe('7 records read\n');
  });

  it.each(['all', '1', '0'])('a file is sent with acks=%s', async (acks) => {
    const path = join(cluster.directoryOf(1), `lines-${acks}.txt`);
    await writeFile(path, Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join(''));
    await cluster.admin.createTopic(`acks-${acks}`, { partitions: 3, replicationFactor: 3 });
    const [summary] = (await runWell(`produce acks-${acks} --acks ${acks} --file ${path} --json`)).json();
    expect(summary).toMatchObject({ topic: `acks-${acks}`, acknowledged: 5000, failed: 0, bytes: 43_890 });
    expect(Object.keys(summary?.latency_ms as object)).toEqual(['p50', 'p95', 'p99', 'max']);
    const read = await runWell(`consume acks-${acks} --from-beginning --max-messages 5000`);
    expect(new Set(read.stdout.split('\n')).size).toBe(5001);
  });

  it('what was refused counts for nothing in the summary', async () => {
    await cluster.admin.createTopic('refused', { partitions: 1, replicationFactor: 1 });
    const refused = await run('produce refused --json', { stdin: `${'x'.repeat(2_000_000)}\n` });
    expect(refused.code).toBe(1);
    expect(refused.json()[0]).toMatchObject({ acknowledged: 0, failed: 1, bytes: 0 });
  });

  it('what is before the separator is the key', async () => {
    await cluster.admin.createTopic('keyed', { partitions: 1, replicationFactor: 1 });
    await runWell('produce keyed --key-separator ::', { stdin: 'a::1\nno key\n::empty key\nb::2::3\n' });
    const read = await runWell('consume keyed --from-beginning --max-messages 4 --print-key');
    expect(read.stdout).toBe('a\t1\nnull\tno key\n\tempty key\nb\t2::3\n');
  });

  it('consume prints the fields that are asked for', async () => {
    await topicWith('fields', ['a', 'b', 'c']);
    const all = '--print-key --print-offset --print-partition --print-timestamp --print-headers';
    expect((await runWell(`consume fields --from-beginning --max-messages 1 ${all}`)).stdout).toBe(
      'CreateTime:1000\tPartition:0\tOffset:0\th:0\tk0\ta\n',
    );
    const formatted = await quorate(
      [
        'consume',
        'fields',
        '--offset',
        '1',
        '--partition',
        '0',
        '--timeout-ms',
        '500',
        '--format',
        '%p/%o %k=%v%%\\n',
      ],
      { bootstrap: cluster.bootstrap },
    );
    expect(formatted.stdout).toBe('0/1 k1=b%\n0/2 k2=c%\n');
    expect((await runWell('consume fields --offset earliest --max-messages 1 --json')).json()).toEqual([
      {
        topic: 'fields',
        partition: 0,
        offset: 0,
        timestamp_ms: 1000,
        key: 'k0',
        value: 'a',
        headers: [{ key: 'h', value: '0' }],
      },
    ]);
  });

  it('consume without a start reads what is new, and ends when nothing comes', async () => {
    await topicWith('quiet', ['old']);
    const read = await runWell('consume quiet --timeout-ms 300');
    expect(read.stdout).toBe('');
    expect(read.stderr).toBe('0 records read\n');
  });
});

describe('the cluster', () => {
  it('quorum describe names the leader, the voters and how far each replica is', async () => {
    const words = (await runWell('quorum describe')).stdout;
    expect(words).toMatch(
      /^LeaderId: +10[123]\nLeaderEpoch: +\d+\nHighWatermark: +\d+\nLogEndOffset: +\d+\n/,
    );
    expect(words).toMatch(/CurrentVoters: +\[101,102,103\]\nCurrentObservers: +\[1,2,3\]\n$/);
    const rows = (await runWell('quorum describe --replication')).stdout.trimEnd().split('\n');
    expect(rows[0]).toMatch(/^NODE +DIRECTORY +LOG END +LAG +LAST FETCH MS +CAUGHT UP MS +STATUS$/);
    expect(rows.map((row) => row.trim().split(/ +/).at(-1)).sort()).toEqual(
      ['STATUS', 'Leader', 'Follower', 'Follower', 'Observer', 'Observer', 'Observer'].sort(),
    );
    const [json] = (await runWell('quorum describe --json')).json();
    expect(json).toMatchObject({
      leader_id: expect.any(Number),
      leader_epoch: expect.any(Number),
      high_watermark: expect.any(Number),
      log_end_offset: expect.any(Number),
    });
    expect(json?.voters).toHaveLength(3);
    expect(Object.keys((json?.voters as object[] | undefined)?.[0] ?? {})).toEqual([
      'replica_id',
      'directory_id',
      'log_end_offset',
      'last_fetch_age_ms',
      'last_caught_up_age_ms',
    ]);
  });

  it('cluster describe lists controllers and brokers', async () => {
    const words = (await runWell('cluster describe')).stdout;
    expect(words).toMatch(/^Cluster: \S{22}\nMetadata: offset \d+, digest [0-9a-f]+\n\nNODE +ROLE +ADDRESS/);
    expect(words.match(/ broker .* alive /g)).toHaveLength(3);
    expect(words.match(/ controller .* active /g)).toHaveLength(1);
    const [json] = (await runWell('cluster describe --json')).json();
    expect(Object.keys(json ?? {})).toEqual([
      'cluster_id',
      'controller_id',
      'digest',
      'brokers',
      'controllers',
    ]);
  });

  it('log dump shows batches and records of a running broker', async () => {
    await topicWith('dumped', ['one', 'two']);
    const leader = await cluster.leaderOf('dumped', 0);
    const file = join(cluster.directoryOf(leader), 'dumped-0', '00000000000000000000.log');
    const lines = (await runWell(`log dump ${file} --records`)).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      /^baseOffset: 0 lastOffset: 1 count: 2 .* compresscodec: none .* isvalid: true$/,
    );
    expect(lines[3]).toBe(
      '| offset: 1 CreateTime: 1001 keySize: 2 valueSize: 3 headerKeys: ["h"] key: k1 payload: two',
    );
    const [start, batch, record] = (await runWell(`log dump ${file} --records --json`)).json();
    expect(start).toMatchObject({ type: 'file', file, file_kind: 'segment' });
    expect(batch).toMatchObject({ position: 0, base_offset: 0, last_offset: 1, is_valid: true });
    expect(record).toMatchObject({
      type: 'record',
      offset: 0,
      create_time: 1000,
      header_keys: ['h'],
      payload: 'one',
    });
  });

  it('log dump of the whole directory of a running broker finds all files as they must be', async () => {
    await topicWith('looked-at', ['one', 'two']);
    const directory = cluster.directoryOf(await cluster.leaderOf('looked-at', 0));
    const text = (await runWell(`log dump ${directory} --deep`)).stdout;
    expect(text).toMatch(/^version: 1 clusterId: \S{22} nodeId: \d directoryId: \S{22}$/m);
    expect(text).toMatch(/^Checked .*looked-at-0\/0{20}\.log: batches: \d+ records: 2 /m);
    const verified = (await runWell(`log dump ${directory} --verify-index --json`)).json();
    expect(verified.map(({ type }) => type)).toEqual(verified.map(() => 'note'));
  });

  it('log dump shows damage with its place and ends with status 1', async () => {
    await topicWith('broken', ['one', 'two']);
    const directory = cluster.directoryOf(await cluster.leaderOf('broken', 0));
    const bytes = await readFile(join(directory, 'broken-0', '00000000000000000000.log'));
    bytes[bytes.length - 1] = 0x55;
    const file = join(directory, '..', '00000000000000000000.log');
    await writeFile(file, bytes);
    const { code, stdout, stderr } = await run(`log dump ${file}`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: 1 place is not as it must be, see above\n',
    });
    expect(stdout).toMatch(/\.log at byte \d+: expected a valid batch, found the batch carries CRC \d+/);
    const json = (await run(`log dump ${file} --json`)).json();
    expect(json.at(-1)).toMatchObject({ type: 'finding', file, expected: 'a valid batch' });
    await rm(file);
  });
});

describe('words for mistakes', () => {
  it.each([
    ['produce nowhere --timeout-ms 5000', /UNKNOWN_TOPIC_OR_PARTITION.*nowhere/],
    ['consume nowhere --timeout-ms 5000', /UNKNOWN_TOPIC_OR_PARTITION.*nowhere/],
    ['topics describe nowhere', /UNKNOWN_TOPIC_OR_PARTITION.*nowhere/],
    ['topics delete nowhere', /UNKNOWN_TOPIC_OR_PARTITION.*nowhere/],
    ['topics delete-records nowhere --partition 0:1', /UNKNOWN_TOPIC_OR_PARTITION.*nowhere/],
    ['topics delete-records nowhere --partition 0', /--before-offset/],
    ['topics offsets nowhere', /UNKNOWN_TOPIC_OR_PARTITION.*nowhere/],
    ['topics offsets nowhere --time soon', /--time is latest.*soon/],
    ['topics create ../x', /INVALID_TOPIC_EXCEPTION.*\.\.\/x/],
    ['produce ../x', /INVALID_TOPIC_EXCEPTION.*\.\.\/x/],
    ['topics create wide --replication-factor 9', /INVALID_REPLICATION_FACTOR.*9.*3/],
    ['topics create odd --config retention.mss=1', /INVALID_CONFIG.*retention\.mss.*retention\.ms/],
    ['topics create odd --config retention.ms=soon', /INVALID_CONFIG.*retention\.ms.*soon/],
    ['produce some --file /no/such/file', /\/no\/such\/file/],
    ['log dump /no/such/file.log', /\/no\/such\/file/],
    ['log dump /no/such/directory', /there is no file or directory/],
    ['log dump /etc/hostname --verify-index', /not a file of a log/],
    ['log dump /proc/self/fdinfo', /holds no files of a log/],
    ['log dump /etc/hostname', /not a file of a log.*\.index/],
    ['config explain retention.mss', /retention\.mss.*retention\.ms/],
    ['topics list --bootstrap here', /"here".*host:port/],
  ])('%s is refused with status 1', async (words, pattern) => {
    const { code, stdout, stderr } = await run(words, { stdin: 'x\n' });
    expect({ code, stderr: expectPlainWords(stderr) }).toEqual({
      code: 1,
      stderr: expect.stringMatching(pattern),
    });
    if (!words.startsWith('produce')) expect(stdout).toBe('');
  });

  it.each([
    '',
    'nonsense',
    'topics',
    'topics create',
    'topics create x --partitions 0',
    'topics create x --config =1',
    'produce x --acks 2',
    'produce x --compression rar',
    'produce x --timeout-ms never',
    'consume x --offset -5',
    'consume x --partition -1',
    'consume x --max-messages 0',
    'quorum describe --wrong',
    'log dump',
    'log dump x.log --verify-index --records',
    'dev --port 99999999x',
  ])('"quorate %s" is wrong usage: status 2', async (words) => {
    const { code, stdout, stderr } = await quorate(words === '' ? [] : words.split(' '));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(expectPlainWords(stderr)).not.toBe('');
  });

  it('with --json an error is an object on standard error', async () => {
    const { code, stderr } = await run('topics describe nowhere --json');
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toEqual({
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining('nowhere'),
    });
  });

  it('without a cluster the way to one is told', async () => {
    const { code, stderr } = await quorate(['topics', 'list'], { cwd: '/' });
    expect(code).toBe(1);
    expect(expectPlainWords(stderr)).toContain('start one with "quorate dev"');
  });
});

it('config explain lists every key and explains one', async () => {
  expect((await run('config explain')).stdout).toMatch(/^KEY +SCOPE +DEFAULT +MEANING\n/);
  const one = (await runWell('config explain min.insync.replicas')).stdout;
  expect(one).toMatch(
    /^min\.insync\.replicas \(server\)\n {2}.*\n {2}type: integer from 1 to \d+ {3}default: 1\n/,
  );
  const rows = (await runWell('config explain min.insync.replicas --json')).json();
  expect(rows.map(({ name, scope }) => [name, scope])).toContainEqual(['min.insync.replicas', 'topic']);
});

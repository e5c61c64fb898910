/**
 * Segments against a second implementation of the format, test/compat/segment_codec.py, which knows public descriptions
 * only. What Python or its machine cannot do is listed as skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { SILENT } from '../../src/env/index.ts';
import { nodeFiles } from '../../src/env/node/index.ts';
import {
  DEFAULT_LOG_CONFIG,
  type Finding,
  findLogFiles,
  inspectLogFile,
  type LogConfig,
  type LogManager,
  openLogManager,
  type PartitionLog,
} from '../../src/log/index.ts';
import {
  BatchBuilder,
  type BatchBuilderOptions,
  batches,
  COMPRESSION_TYPES,
  type CompressionType,
  decodeRecords,
} from '../../src/log/record/index.ts';

const PYTHON = process.env.PYTHON ?? 'python3';
const SCRIPT = join(import.meta.dirname, '../compat/segment_codec.py');
const TOPIC_ID = 'dG9waWMtaWQtb2YtdGVzdA';
const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: 300_000, indexIntervalBytes: 1000 };

/** The JSON that the script speaks. */
interface PythonRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
}
interface PythonBatch {
  readonly base_offset: number;
  readonly leader_epoch: number;
  readonly codec: CompressionType;
  readonly producer_id?: number;
  readonly producer_epoch?: number;
  readonly base_sequence?: number;
  readonly log_append_time?: boolean;
  readonly records: readonly PythonRecord[];
}
interface PythonSegment {
  readonly base_offset: number;
  readonly batches: readonly PythonBatch[];
  readonly index?: readonly (readonly [number, number])[];
  readonly timeindex?: readonly (readonly [number, number])[];
}
interface PythonPartition {
  readonly segments: readonly PythonSegment[];
  readonly snapshots: Readonly<Record<string, readonly object[]>>;
  readonly leader_epochs: readonly (readonly [number, number])[];
  readonly topic_id: string;
  readonly problems: readonly string[];
}

function python(words: readonly string[], input = ''): unknown {
  const options = { input, encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, ...words], options);
  if (status !== 0) throw new Error(`segment_codec.py ${words[0]}: ${stderr}`);
  return JSON.parse(stdout);
}

const hasPython = spawnSync(PYTHON, ['--version']).status === 0;
const CODECS = hasPython ? (python(['codecs']) as Record<CompressionType, boolean>) : undefined;
const can = (codec: CompressionType): boolean => CODECS?.[codec] === true;

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-compat-'));
});
afterEach(() => rm(directory, { recursive: true }));

function open(config: LogConfig = CONFIG): Promise<LogManager> {
  return openLogManager({
    directories: [{ path: directory }],
    environment: { files: nodeFiles(), logger: SILENT, random: new SeededRandom(1) },
    defaults: config,
    tailCacheBytes: 0,
  });
}

const base64 = (bytes: Uint8Array | undefined | null): string | null =>
  bytes === undefined || bytes === null ? null : Buffer.from(bytes).toString('base64');

interface Sent {
  readonly timestampMs: number;
  readonly key?: Uint8Array;
  readonly value?: Uint8Array;
  readonly headers: readonly { key: string; value?: Uint8Array }[];
}

/** `count` batches with all that a record can be: null, empty and large keys and values, headers, times that go back. */
function batchesOfRecords(random: SeededRandom, count: number): Sent[][] {
  const below = (bound: number): number => random.integer(0, bound);
  const blob = (sizeMax: number): Uint8Array => {
    const noise = Buffer.from(Array.from({ length: below(sizeMax) }, () => below(256)));
    // Something to compress, something that cannot be.
    return below(2) === 0 ? noise : Buffer.concat([noise, Buffer.alloc(below(sizeMax), 'pattern ')]);
  };
  const maybe = (name: string, bytes: Uint8Array): object => (below(4) === 0 ? {} : { [name]: bytes });
  const record = (batch: number): Sent => ({
    timestampMs: 1_700_000_000_000 + batch * 1000 + below(5000),
    ...maybe('key', blob(40)),
    ...maybe('value', blob(below(20) === 0 ? 30_000 : 200)),
    headers: Array.from({ length: below(4) }, (_, i) => ({ key: `hü${i % 2}`, ...maybe('value', blob(20)) })),
  });
  return Array.from({ length: count }, (_, batch) =>
    Array.from({ length: 1 + below(8) }, () => record(batch)),
  );
}

function build(records: readonly Sent[], options: BatchBuilderOptions): Uint8Array {
  const builder = new BatchBuilder(options);
  for (const record of records) builder.append(record);
  return builder.build();
}

const toPython = (record: Sent, offset: number): PythonRecord => ({
  offset,
  timestamp: record.timestampMs,
  key: base64(record.key),
  value: base64(record.value),
  headers: record.headers.map(({ key, value }) => [key, base64(value)]),
});

/** All records of a log, through its own reader and decoder. */
async function recordsOf(log: PartitionLog): Promise<PythonRecord[]> {
  const records: PythonRecord[] = [];
  for (let next = log.logStartOffset; next < log.logEndOffset; ) {
    const read = await log.read(next, { maxBytes: 100_000, upperBound: log.logEndOffset, atLeastOne: true });
    for (const { bytes, header } of read.batches.flatMap((some) => [...batches(some)])) {
      for (const record of decodeRecords(bytes)) records.push(toPython(record, record.offset));
      next = header.lastOffset + 1;
    }
  }
  return records;
}

async function findings(): Promise<Finding[]> {
  const found: Finding[] = [];
  const files = nodeFiles();
  for (const options of [{ deep: true }, { verifyIndex: true }])
    for (const path of await findLogFiles(files, directory))
      for await (const one of inspectLogFile(files, path, options))
        if (one.kind === 'finding') found.push(one);
  return found;
}

const decode = (): PythonPartition => python(['decode', join(directory, 't-0')]) as PythonPartition;
const recordsIn = (partition: PythonPartition): PythonRecord[] =>
  partition.segments.flatMap((segment) => segment.batches.flatMap((batch) => batch.records));

describe('what Quorate writes, another implementation reads', () => {
  for (const compression of COMPRESSION_TYPES) {
    test.runIf(can(compression))(
      `records in ${compression}, over several segments, with indexes`,
      async () => {
        const sent = batchesOfRecords(new SeededRandom(COMPRESSION_TYPES.indexOf(compression)), 150);
        const manager = await open();
        const log = await manager.create('t', 0, TOPIC_ID, CONFIG);
        for (const [i, records] of sent.entries())
          log.appendAsLeader(build(records, { compression }), {
            leaderEpoch: i < 70 ? 2 : 5,
            nowMs: 1_700_000_000_000,
          });
        await log.whenFlushed(log.logEndOffset);
        await manager.close({ brokerEpoch: 1 });
        const read = decode();
        expect(read.problems).toEqual([]);
        expect(recordsIn(read)).toEqual(sent.flat().map(toPython));
        expect(
          new Set(read.segments.flatMap((segment) => segment.batches.map(({ codec }) => codec))),
        ).toEqual(new Set([compression]));
        const secondEpoch = sent.slice(0, 70).flat().length;
        expect(read).toMatchObject({
          topic_id: TOPIC_ID,
          leader_epochs: [
            [2, 0],
            [5, secondEpoch],
          ],
        });
        if (compression === 'none') expect(read.segments.length).toBeGreaterThan(1);
        for (const { index = [], timeindex = [] } of read.segments.slice(0, -1))
          expect([index.length > 1, timeindex.length > 1]).toEqual([true, true]);
        expect(await findings()).toEqual([]);
      },
    );
  }

  test.runIf(hasPython)('a record of a megabyte, a tombstone, and the time of the broker', async () => {
    const config = { ...CONFIG, segmentBytes: 2 ** 21, timestampType: 'LogAppendTime' as const };
    const manager = await open();
    const log = await manager.create('t', 0, TOPIC_ID, config);
    const big = {
      timestampMs: 5,
      key: Buffer.from('big'),
      value: Buffer.alloc(1_000_000, 'big '),
      headers: [],
    };
    const tombstone = { timestampMs: 6, key: Buffer.from('gone'), headers: [] };
    for (const record of [big, tombstone])
      log.appendAsLeader(build([record], { compression: 'none' }), {
        leaderEpoch: 0,
        nowMs: 1_800_000_000_000,
      });
    await log.whenFlushed(2);
    await manager.close({ brokerEpoch: 1 });
    const read = decode();
    expect(read.problems).toEqual([]);
    expect(recordsIn(read)).toEqual(
      [big, tombstone].map((record, offset) => ({
        ...toPython(record, offset),
        timestamp: 1_800_000_000_000,
      })),
    );
    expect(read.segments.flatMap((one) => one.batches.map((batch) => batch.log_append_time))).toEqual([
      true,
      true,
    ]);
  });

  test.runIf(hasPython)('what an idempotent producer sent, and the snapshot of its sequences', async () => {
    const manager = await open();
    const log = await manager.create('t', 0, TOPIC_ID, CONFIG);
    const records = [1, 2, 3].map((timestampMs) => ({ timestampMs, value: Buffer.from('x'), headers: [] }));
    const producer = { compression: 'gzip', producerId: 2 ** 40, producerEpoch: 3 } as const;
    for (const baseSequence of [0, 3, 3, 6])
      log.appendAsLeader(build(records, { ...producer, baseSequence }), {
        leaderEpoch: 0,
        nowMs: 1_700_000_000_000,
      });
    await log.whenFlushed(9);
    await manager.close({ brokerEpoch: 1 });
    const read = decode();
    expect(read.problems).toEqual([]);
    expect(read.segments[0]?.batches.map((batch) => batch.base_sequence)).toEqual([0, 3, 6]);
    expect(read.segments[0]?.batches[0]).toMatchObject({ producer_id: 2 ** 40, producer_epoch: 3 });
    expect(read.snapshots['9']?.at(-1)).toEqual({
      producer_id: 2 ** 40,
      producer_epoch: 3,
      last_sequence: 8,
      last_offset: 8,
      offset_delta: 2,
      timestamp: 3,
      coordinator_epoch: -1,
      current_txn_first_offset: -1,
    });
  });

  for (const compression of COMPRESSION_TYPES) {
    test.runIf(can(compression))(`what compaction left of records in ${compression}`, async () => {
      const config = { ...CONFIG, segmentBytes: 3000, compacts: true, minCleanableDirtyRatio: 0 };
      const manager = await open();
      const log = await manager.create('t', 0, TOPIC_ID, config);
      const sent: PythonRecord[] = [];
      for (let batch = 0; batch < 120; batch++) {
        const records = Array.from(
          { length: 5 },
          (_, i): Sent => ({
            timestampMs: 1_700_000_000_000 + batch,
            key: Buffer.from(`key ${(batch * 7 + i * 3) % 40}`),
            ...((batch + i) % 9 === 0 ? {} : { value: Buffer.from(`value ${batch} ${i}`) }),
            headers: [],
          }),
        );
        const producer = { producerId: batch % 3, producerEpoch: 0, baseSequence: Math.floor(batch / 3) * 5 };
        log.appendAsLeader(build(records, { compression, ...producer }), {
          leaderEpoch: 1,
          nowMs: 1_700_000_000_000,
        });
        sent.push(...records.map((record, i) => toPython(record, batch * 5 + i)));
      }
      await log.whenFlushed(log.logEndOffset);
      log.setHighWatermark(log.logEndOffset);
      for (const nowMs of [1_700_000_001_000, 1_800_000_000_000]) {
        const secret = new SeededRandom(1).bytes(16);
        const how = { nowMs, keyMapBytes: 1_000_000, secret, pace: async (): Promise<void> => {} };
        await log.compactor.clean(how);
        expect(await findings()).toEqual([]);
      }
      await manager.close({ brokerEpoch: 1 });
      const read = decode();
      expect(read.problems).toEqual([]);
      const left = recordsIn(read);
      expect(left.length).toBeLessThan(sent.length / 2);
      expect(left).toEqual(left.map(({ offset }) => sent[offset]));
      const lastOf = (records: readonly PythonRecord[]) =>
        new Map(records.map(({ key, value }) => [key, value] as const).filter(([key]) => key !== null));
      const valuesOf = (records: readonly PythonRecord[]) =>
        [...lastOf(records)].filter(([, value]) => value !== null).toSorted();
      expect(valuesOf(left)).toEqual(valuesOf(sent));
      expect(await findings()).toEqual([]);
    });
  }
});

interface PartitionSpec {
  readonly topic_id: string;
  readonly index_interval: number | null;
  readonly segments: readonly PythonSegment[];
}

/** What Python is asked to write: segments of 40 batches in `codec`, of three leaders and one producer. */
function partitionOf(codec: CompressionType, indexInterval: number | null): PartitionSpec {
  const sent = batchesOfRecords(new SeededRandom(77), 120);
  const segments: PythonSegment[] = [];
  let next = 0;
  for (const part of [0, 40, 80]) {
    const base = next;
    const made = sent.slice(part, part + 40).map((records): PythonBatch => {
      const batch = {
        base_offset: next,
        leader_epoch: part / 40,
        codec,
        producer_id: 9,
        producer_epoch: 1,
        base_sequence: next,
        records: records.map((record, i) => toPython(record, next + i)),
      };
      next += records.length;
      return batch;
    });
    segments.push({ base_offset: base, batches: made });
  }
  return { topic_id: TOPIC_ID, index_interval: indexInterval, segments };
}

describe('what another implementation writes, Quorate reads', () => {
  for (const codec of COMPRESSION_TYPES)
    for (const indexInterval of [null, 1000]) {
      const title = `segments in ${codec}, ${indexInterval === null ? 'without' : 'with'} indexes, after no clean stop`;
      test.runIf(can(codec))(title, async () => {
        const partition = partitionOf(codec, indexInterval);
        await mkdir(directory, { recursive: true });
        python(['encode', join(directory, 't-0')], JSON.stringify(partition));
        expect(await findings()).toEqual([]);
        const manager = await open();
        const log = manager.find('t', 0);
        if (log === undefined) throw new Error('the log was not found');
        expect(log.failure).toBeUndefined();
        const wanted = partition.segments.flatMap((one) => one.batches.flatMap(({ records }) => records));
        expect(await recordsOf(log)).toEqual(wanted);
        const [, second, third] = partition.segments.map((one) => one.base_offset);
        expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: third });
        expect(log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: second });
        const largest = Math.max(...wanted.map(({ timestamp }) => timestamp));
        expect(await log.maxTimestamp()).toMatchObject({ timestampMs: largest });
        const sequence = { compression: codec, producerId: 9, producerEpoch: 1, baseSequence: wanted.length };
        const more = batchesOfRecords(new SeededRandom(5), 1)[0] ?? [];
        log.appendAsLeader(build(more, sequence), { leaderEpoch: 3, nowMs: 1_700_000_000_000 });
        await log.whenFlushed(log.logEndOffset);
        await manager.close({ brokerEpoch: 1 });
        const again = decode();
        expect(again.problems).toEqual([]);
        expect(recordsIn(again)).toEqual([
          ...wanted,
          ...more.map((record, i) => toPython(record, wanted.length + i)),
        ]);
        expect((await readdir(join(directory, 't-0'))).filter((name) => name.endsWith('index'))).toHaveLength(
          6,
        );
        for (const { index = [] } of again.segments) expect(index.length).toBeGreaterThan(1);
        expect(await findings()).toEqual([]);
      });
    }
});

/**
 * Golden bytes of every format that is written to a disk. They were laid out field by field from the descriptions in
 * docs/formats, not by the encoders: a change of a format breaks here, and must be a new version of it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readMetaProperties, readWholeFile, writeMetaProperties } from '../../src/env/index.ts';
import { readCheckpoints, saveCheckpoints } from '../../src/log/checkpoint/checkpoints.ts';
import { saveCleanShutdown, takeCleanShutdown } from '../../src/log/checkpoint/clean-shutdown.ts';
import { readPartitionMetadata, savePartitionMetadata } from '../../src/log/checkpoint/partition-metadata.ts';
import { EpochCheckpoint } from '../../src/log/epoch/epoch-checkpoint.ts';
import {
  decodeProducerEntries,
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from '../../src/log/producer/producer-snapshot.ts';
import { ProducerStates } from '../../src/log/producer/producer-states.ts';
import {
  BatchBuilder,
  batches,
  buildTransactionMarker,
  controlTypeOf,
  decodeRecords,
  readBatchHeader,
  stampBatch,
  validateBatch,
} from '../../src/log/record/index.ts';
import { decodeScrubCheckpoint, encodeScrubCheckpoint } from '../../src/log/scrub/scrub-checkpoint.ts';
import { OffsetIndex } from '../../src/log/segment/offset-index.ts';
import { TimeIndex } from '../../src/log/segment/time-index.ts';
import { decodeEntry, encodeEntry } from '../../src/raft/store/entry-codec.ts';
import { decodeHardState, encodeHardState } from '../../src/raft/store/hard-state-codec.ts';
import { MemoryFiles } from '../../src/testing/twins/index.ts';

const T = 1_700_000_000_000;
const golden = (name: string): Buffer => readFileSync(new URL(`./formats/${name}.bin`, import.meta.url));
const plain = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const uuid = (first: number): string =>
  Buffer.from([first, ...Array.from({ length: 15 }, (_, i) => i + 1)]).toString('base64url');

/** What `save` leaves under `name`, and the same bytes put there for `read`. */
async function fileOf(name: string, save: (files: MemoryFiles) => Promise<unknown>): Promise<Buffer> {
  const files = new MemoryFiles();
  await files.makeDirectory('/d');
  await save(files);
  return plain((await readWholeFile(files, `/d/${name}`)) ?? new Uint8Array());
}
async function filesWith(name: string, bytes: Uint8Array): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  await files.makeDirectory('/d');
  const handle = await files.open(`/d/${name}`, 'create');
  await handle.write([bytes], 0);
  await handle.close();
  return files;
}

const RECORDS = [
  { timestampMs: T, key: text('k1'), value: text('v1'), headers: [{ key: 'h', value: text('x') }] },
  { timestampMs: T + 5, key: text('k2'), headers: [] },
];

function goldenBatch(): Uint8Array {
  const producer = { producerId: 7, producerEpoch: 1, baseSequence: 40 };
  const builder = new BatchBuilder({ compression: 'none', ...producer });
  for (const record of RECORDS) builder.append(record);
  const batch = builder.build();
  stampBatch(batch, { baseOffset: 100, leaderEpoch: 3 });
  return batch;
}

function throwIt(error: Error): never {
  throw error;
}

describe('the golden bytes are written and read again, of', () => {
  it('record-batch', () => {
    const bytes = golden('record-batch');
    expect(plain(goldenBatch())).toEqual(bytes);
    expect(validateBatch(bytes)).toBeUndefined();
    expect(readBatchHeader(bytes)).toMatchObject({
      baseOffset: 100,
      lastOffset: 101,
      leaderEpoch: 3,
      count: 2,
    });
    expect(readBatchHeader(bytes)).toMatchObject({ producerId: 7, producerEpoch: 1, baseSequence: 40 });
    const read = [...decodeRecords(new Uint8Array(bytes))];
    expect(JSON.stringify(read)).toBe(
      JSON.stringify(
        RECORDS.map(({ timestampMs, key, ...rest }, i) => {
          const value = 'value' in rest ? { value: plain(rest.value as Uint8Array) } : {};
          const headers = rest.headers.map((header) => ({ key: header.key, value: plain(header.value) }));
          return { offset: 100 + i, timestampMs, key: plain(key), ...value, headers };
        }),
      ),
    );
  });

  it('scrub-checkpoint', () => {
    const bytes = golden('scrub-checkpoint');
    const checkpoint = {
      startedMs: T,
      endedMs: T - 10_000_000,
      after: { topic: 'orders', partition: 3, baseOffset: 157 },
    };
    expect(encodeScrubCheckpoint(checkpoint)).toEqual(bytes);
    expect(decodeScrubCheckpoint(bytes, 'f')).toEqual(checkpoint);
    expect(decodeScrubCheckpoint(encodeScrubCheckpoint({}), 'f')).toEqual({});
    expect(() => decodeScrubCheckpoint(Buffer.from('0\n1\nbegan 3\n'), 'f')).toThrow(/began 3/);
  });

  it('segment', () => {
    const producer = { producerId: 7, producerEpoch: 1, coordinatorEpoch: 4 };
    const marker = buildTransactionMarker({ type: 'commit', ...producer, timestampMs: T + 9 });
    stampBatch(marker, { baseOffset: 102, leaderEpoch: 3 });
    const bytes = golden('segment');
    expect(Buffer.concat([goldenBatch(), marker])).toEqual(bytes);
    const [first, second] = [...batches(bytes)];
    expect([first?.header.isControl, second?.header.isControl]).toEqual([false, true]);
    expect(controlTypeOf(second?.bytes ?? new Uint8Array())).toBe('commit');
  });

  it('offset-index', () => {
    const index = new OffsetIndex(100);
    index.append(102, 4200);
    index.append(157, 8410);
    expect(plain(index.encode())).toEqual(golden('offset-index'));
    const read = OffsetIndex.decode(100, golden('offset-index'), 10_000);
    expect([101, 102, 156, 157].map((offset) => read?.find(offset)?.position)).toEqual([
      undefined,
      4200,
      4200,
      8410,
    ]);
  });

  it('time-index', () => {
    const index = new TimeIndex();
    index.maybeAppend(T + 5, 102);
    index.maybeAppend(T + 900, 157);
    expect(plain(index.encode(100))).toEqual(golden('time-index'));
    const read = TimeIndex.decode(100, golden('time-index'));
    expect([T + 5, T + 6, T + 901].map((time) => read?.find(time)?.offset)).toEqual([undefined, 102, 157]);
  });

  it('producer-snapshot', () => {
    const states = new ProducerStates();
    const batch = { firstSequence: 39, lastSequence: 39, lastOffset: 99, offsetDelta: 0, timestampMs: T - 1 };
    const last = { firstSequence: 40, lastSequence: 41, lastOffset: 101, offsetDelta: 1, timestampMs: T + 5 };
    const state = {
      producerId: 7,
      producerEpoch: 1,
      batches: [batch, last],
      lastTimestampMs: T + 5,
      heardMs: T + 5,
    };
    states.restore(state);
    const bytes = golden('producer-snapshot');
    expect(plain(encodeProducerSnapshot(states))).toEqual(bytes);
    expect(decodeProducerSnapshot(bytes, 'golden').find(7)).toEqual(state);
    expect(decodeProducerEntries(bytes, 'golden')[1]).toMatchObject({
      coordinatorEpoch: -1,
      currentTxnFirstOffset: -1,
    });
  });

  it('leader-epoch-checkpoint', async () => {
    const bytes = golden('leader-epoch-checkpoint');
    const read = await EpochCheckpoint.open(await filesWith('leader-epoch-checkpoint', bytes), '/d');
    expect(read.cache.entries).toEqual([
      { epoch: 3, startOffset: 100 },
      { epoch: 5, startOffset: 157 },
    ]);
    const save = async (files: MemoryFiles): Promise<void> => {
      const made = new EpochCheckpoint(files, '/d', read.cache);
      made.touch();
      await made.settled();
    };
    expect(await fileOf('leader-epoch-checkpoint', save)).toEqual(bytes);
  });

  it.each([
    ['replication-offset-checkpoint', 'highWatermark'],
    ['recovery-point-offset-checkpoint', 'recoveryPoint'],
    ['log-start-offset-checkpoint', 'logStart'],
    ['cleaner-offset-checkpoint', 'firstDirty'],
  ] as const)('offset-checkpoint, as %s', async (name, meaning) => {
    const bytes = golden('offset-checkpoint');
    const read = await readCheckpoints(await filesWith(name, bytes), '/d', throwIt);
    expect([read.get('orders-0')?.[meaning], read.get('orders-1')?.[meaning]]).toEqual([157, 12]);
    const logs = [0, 1].map((partition) => ({ topic: 'orders', partition }));
    expect(await fileOf(name, (files) => saveCheckpoints(files, '/d', logs, read))).toEqual(bytes);
  });

  it('partition-metadata', async () => {
    const bytes = golden('partition-metadata');
    expect(
      await fileOf('partition.metadata', (files) => savePartitionMetadata(files, '/d', uuid(0x10))),
    ).toEqual(bytes);
    expect(await readPartitionMetadata(await filesWith('partition.metadata', bytes), '/d')).toBe(uuid(0x10));
  });

  it('meta-properties', async () => {
    const bytes = golden('meta-properties');
    const properties = { clusterId: uuid(0x20), nodeId: 3, directoryId: uuid(0x30) };
    expect(await fileOf('meta.properties', (files) => writeMetaProperties(files, '/d', properties))).toEqual(
      bytes,
    );
    expect(await readMetaProperties(await filesWith('meta.properties', bytes), '/d')).toEqual(properties);
  });

  it('clean-shutdown', async () => {
    const bytes = golden('clean-shutdown');
    expect(await fileOf('.kafka_cleanshutdown', (files) => saveCleanShutdown(files, '/d', 42))).toEqual(
      bytes,
    );
    const files = await filesWith('.kafka_cleanshutdown', bytes);
    expect(await takeCleanShutdown(files, '/d')).toEqual({ clean: true, brokerEpoch: 42 });
  });

  it('quorum-state', () => {
    const copy = {
      generation: 9,
      identity: { clusterId: uuid(0x20), directoryId: uuid(0x30), nodeId: 3 },
      state: {
        epoch: 12,
        leaderId: -1,
        tailFloor: 500,
        votedFor: { id: 2, directoryId: uuid(0x40) },
        voters: [
          { id: 2, directoryId: uuid(0x40) },
          { id: 3, directoryId: uuid(0x30) },
        ],
        clusterId: uuid(0x20),
      },
    };
    expect(encodeHardState(copy)).toEqual(golden('quorum-state'));
    expect(decodeHardState(golden('quorum-state'))).toEqual(copy);
  });

  it('quorum-log', () => {
    const entry = { offset: 500, epoch: 12, kind: 'data' as const, payload: Buffer.from('hello') };
    const previous = Buffer.from('a0a1a2a3a4a5a6a7', 'hex');
    expect(encodeEntry(entry, previous)).toEqual(golden('quorum-log'));
    expect(decodeEntry(golden('quorum-log'))).toEqual({ entry, previous });
  });
});

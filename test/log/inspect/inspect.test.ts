import { beforeEach, describe, expect, it } from 'vitest';
import { StartupError } from '../../../src/base/index.ts';
import {
  type Finding,
  findLogFiles,
  type Inspection,
  inspectLogFile,
  type Row,
  type SegmentOptions,
  segmentsOf,
} from '../../../src/log/index.ts';
import { BatchBuilder, stampBatch } from '../../../src/log/record/index.ts';
import { stampCrc } from '../../../src/log/record/stamp-batch.ts';
import { batchOf, LogFixture, TOPIC_ID } from '../log-fixture.ts';

const LOG = '/data/t-0/00000000000000000000.log';
const CONFIG = { segmentBytes: 2000, indexIntervalBytes: 150 };

let fixture: LogFixture;
beforeEach(async () => {
  fixture = await LogFixture.open({ config: CONFIG });
});

async function inspect(path: string, options: SegmentOptions = {}): Promise<Inspection[]> {
  const found: Inspection[] = [];
  for await (const one of inspectLogFile(fixture.files, path, options)) found.push(one);
  return found;
}

const rowsOf = (found: readonly Inspection[]): Row[] => found.filter((one) => one.kind === 'row');
const findingsOf = (found: readonly Inspection[]): Finding[] => found.filter((one) => one.kind === 'finding');
const fieldsOf = (found: readonly Inspection[]) => rowsOf(found).map(({ fields }) => fields);

/** Everything below /data, with the same options. */
async function inspectAll(options: SegmentOptions = {}): Promise<Inspection[]> {
  const paths = await findLogFiles(fixture.files, '/data');
  const found: Inspection[] = [];
  for (const path of options.verifyIndex ? segmentsOf(paths) : paths)
    found.push(...(await inspect(path, options)));
  return found;
}

async function overwrite(path: string, change: (bytes: Buffer) => Uint8Array | undefined): Promise<void> {
  const handle = await fixture.files.open(path, 'create');
  const bytes = Buffer.alloc(await handle.sizeBytes());
  await handle.read(bytes, 0);
  const changed = change(bytes) ?? bytes;
  await handle.truncate(0);
  await handle.write([changed], 0);
  await handle.close();
}

/** 100 batches in several segments, closed. */
async function filled(): Promise<void> {
  for (let i = 0; i < 100; i++)
    fixture.append([`value ${i}`, 'second'], { epoch: i < 50 ? 1 : 3, timeMs: 1000 + ((i * 37) % 100) });
  await fixture.flushed();
  fixture.log.setHighWatermark(190);
  await fixture.manager.close({ brokerEpoch: 7 });
}

/** The first segment that has both indexes and another one behind it. */
const FIRST_INDEX = LOG.replace('.log', '.index');
const FIRST_TIMES = LOG.replace('.log', '.timeindex');

describe('the files of a data directory', () => {
  it('are all found, those of the directory first, and each says what it holds', async () => {
    await filled();
    const found = await inspectAll({ deep: true });
    expect(findingsOf(found)).toEqual([]);
    const starts = found.flatMap((one) => (one.kind === 'file' ? [`${one.fileKind} ${one.file}`] : []));
    expect(starts.slice(0, 8)).toEqual([
      'clean-shutdown /data/.kafka_cleanshutdown',
      'offset-checkpoint /data/cleaner-offset-checkpoint',
      'offset-checkpoint /data/log-start-offset-checkpoint',
      'offset-checkpoint /data/recovery-point-offset-checkpoint',
      'offset-checkpoint /data/replication-offset-checkpoint',
      `offset-index ${FIRST_INDEX}`,
      `segment ${LOG}`,
      `time-index ${FIRST_TIMES}`,
    ]);
    const ofType = (type: string) => fieldsOf(rowsOf(found).filter((row) => row.type === type));
    expect(ofType('clean_shutdown')).toEqual([{ version: 0, brokerEpoch: 7 }]);
    expect(ofType('offset')).toEqual(
      [0, 0, 200, 190].map((offset) => ({ topic: 't', partition: 0, offset })),
    );
    expect(ofType('partition_metadata')).toEqual([{ version: 0, topicId: TOPIC_ID }]);
    expect(ofType('leader_epoch')).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 3, startOffset: 100 },
    ]);
    expect(ofType('batch')).toHaveLength(100);
    const summaries = ofType('summary');
    expect(summaries.map(({ batches }) => batches).reduce((a, b) => Number(a) + Number(b), 0)).toBe(100);
    expect(summaries.at(-1)).toMatchObject({ nextOffset: 200 });
  });

  it('of the quorum and of replacements that did not come to their end are passed over', async () => {
    await filled();
    await fixture.files.makeDirectory('/data/__cluster_metadata-0');
    const paths = [
      '__cluster_metadata-0/000005.log',
      'replication-offset-checkpoint.tmp',
      `${LOG.slice(6)}.cleaned`,
    ];
    for (const path of paths) await overwrite(`/data/${path}`, () => Buffer.from('torn'));
    expect(findingsOf(await inspectAll())).toEqual([]);
  });

  it('may hold an empty checkpoint of the cleaner, as Kafka makes it, and no other that is empty', async () => {
    const look = async (name: string): Promise<number> => {
      await overwrite(`/data/${name}`, () => new Uint8Array());
      return findingsOf(await inspect(`/data/${name}`)).length;
    };
    expect(await look('cleaner-offset-checkpoint')).toBe(0);
    expect(await look('replication-offset-checkpoint')).toBe(1);
  });

  it('of an index are held against the segment they belong to, also when compaction replaces all of it meanwhile', async () => {
    await filled();
    await overwrite(`${LOG}.swap`, () => batchOf(['all that is left']));
    const perform = fixture.files.perform.bind(fixture.files);
    let isSwapped = false;
    fixture.files.perform = async (operation, path, effect) => {
      if (operation === 'stat' && path === FIRST_INDEX && !isSwapped) {
        isSwapped = true;
        await fixture.files.rename(`${LOG}.swap`, LOG);
        await overwrite(FIRST_INDEX, () => new Uint8Array());
        // Timestamp 1000 at offset 0.
        await overwrite(FIRST_TIMES, () => Buffer.from('00000000000003e800000000', 'hex'));
      }
      return perform(operation, path, effect);
    };
    expect(fieldsOf(await inspect(LOG, { verifyIndex: true }))).toEqual([
      { entries: 0, mismatches: 0 },
      { entries: 1, mismatches: 0 },
    ]);
  });

  it.each([
    ['/nowhere', /there is no file or directory \/nowhere/],
    ['/data/other.txt', /is not a file of a log by its name/],
    ['/empty', /\/empty holds no files of a log/],
  ])('%s is refused with words', async (path, words) => {
    await fixture.files.makeDirectory('/empty');
    await overwrite('/data/other.txt', () => undefined);
    await expect(findLogFiles(fixture.files, path)).rejects.toThrow(words);
    await expect(findLogFiles(fixture.files, path)).rejects.toBeInstanceOf(StartupError);
  });

  it('a file that retention removed meanwhile is a note', async () => {
    expect(await inspect('/data/t-0/00000000000000000077.log')).toEqual([
      expect.objectContaining({ kind: 'note', text: expect.stringMatching(/is gone/) }),
    ]);
  });

  it('producers are shown with the batches known of them', async () => {
    const producer = { producerId: 5, producerEpoch: 2 };
    fixture.append(['a', 'b', 'c'], { ...producer, baseSequence: 0 });
    fixture.append(['d'], { ...producer, baseSequence: 3 });
    await fixture.flushed();
    await fixture.manager.close({ brokerEpoch: 7 });
    const fields = { ...producer, coordinatorEpoch: -1, currentTxnFirstOffset: null };
    expect(fieldsOf(await inspect('/data/t-0/00000000000000000004.snapshot'))).toEqual([
      { ...fields, firstSequence: 0, lastSequence: 2, lastOffset: 2, offsetDelta: 2, timestamp: 1002 },
      { ...fields, firstSequence: 3, lastSequence: 3, lastOffset: 3, offsetDelta: 0, timestamp: 1000 },
    ]);
  });
});

describe('a segment', () => {
  it('that a broker has open is read without a lock', async () => {
    fixture.append(['one', 'two']);
    await fixture.flushed();
    const found = await inspect(LOG, { records: true, deep: true });
    expect(findingsOf(found)).toEqual([]);
    expect(rowsOf(found)[0]).toMatchObject({ fields: { baseOffset: 0, position: 0, isvalid: true } });
    const records = rowsOf(found).filter(({ type }) => type === 'record');
    expect(records.map(({ fields }) => fields.payload)).toEqual(['one', 'two']);
  });

  it('cut at any byte gives its whole batches and then says where the incomplete one begins', async () => {
    fixture.append(['one']);
    fixture.append(['two']);
    await fixture.flushed();
    await fixture.manager.close({ brokerEpoch: 7 });
    let whole: Uint8Array = Buffer.alloc(0);
    await overwrite(LOG, (bytes) => {
      whole = bytes;
      return bytes;
    });
    const size = whole.length / 2;
    for (let cut = 0; cut <= whole.length; cut++) {
      await overwrite(LOG, () => whole.subarray(0, cut));
      const found = await inspect(LOG, { deep: true });
      expect(findingsOf(found)).toEqual([]);
      expect(rowsOf(found)).toHaveLength(Math.floor(cut / size) + 1);
      const left = cut % size;
      const position = cut - left;
      const wanted = left < 61 ? 61 : size;
      expect(found.filter(({ kind }) => kind === 'note')).toEqual(
        left === 0
          ? []
          : [
              {
                kind: 'note',
                file: LOG,
                position,
                text:
                  `incomplete batch at position ${position}, ${left} of ${wanted} bytes ` +
                  '(the log is being written, or was torn)',
              },
            ],
      );
    }
  });

  it('that ends inside a batch is damaged when another segment follows', async () => {
    await filled();
    await overwrite(LOG, (bytes) => bytes.subarray(0, bytes.length - 1));
    expect(findingsOf(await inspect(LOG))).toEqual([
      expect.objectContaining({ expected: expect.stringMatching(/^\d+ bytes of a batch$/) }),
    ]);
  });

  it('with any flipped bit is found damaged, or shows an incomplete batch, by a deep look', async () => {
    await filled();
    const last =
      (await findLogFiles(fixture.files, '/data')).filter((path) => path.endsWith('.log')).at(-1) ?? '';
    const size = (await fixture.files.stat(last))?.sizeBytes ?? 0;
    for (let at = 0; at < Math.min(size, 220); at++) {
      const flip = (bytes: Buffer): undefined => {
        bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      };
      await overwrite(last, flip);
      const found = await inspect(last, { deep: true });
      const isSeen = found.some(({ kind }) => kind === 'finding' || kind === 'note');
      // Offset and epoch lie outside of the CRC: a rise of either in the last batches is no contradiction.
      const field = at % 89;
      if (field >= 16 || field === 8) expect(isSeen, `byte ${at}`).toBe(true);
      await overwrite(last, flip);
    }
    expect(findingsOf(await inspect(last, { deep: true }))).toEqual([]);
  });

  it('goes on behind a batch that fails its CRC, and ends at bytes that are no batch', async () => {
    fixture.append(['one']);
    fixture.append(['two']);
    fixture.append(['three']);
    await fixture.flushed();
    await overwrite(LOG, (bytes) => {
      bytes[65] = (bytes[65] ?? 0) ^ 1;
      return Buffer.concat([bytes, Buffer.alloc(100)]);
    });
    const found = await inspect(LOG);
    expect(fieldsOf(found).map(({ isvalid }) => isvalid)).toEqual([false, true, true]);
    expect(findingsOf(found).map(({ position, expected }) => [position, expected])).toEqual([
      [0, 'a valid batch'],
      [fixture.log.sizeBytes, 'a batch of at least 61 bytes'],
    ]);
  });

  it.each<[string, (builder: Uint8Array) => void, RegExp]>([
    ['a count that the records do not have', (b) => (b[60] = 1), /records that can be decoded/],
    ['a largest timestamp that no record bears', (b) => (b[42] = 99), /as the largest timestamp/],
    [
      'an offset below the one before',
      (b) => stampBatch(b, { baseOffset: 0, leaderEpoch: 5 }),
      /an offset of 2 or more/,
    ],
    [
      'an epoch below the one before',
      (b) => stampBatch(b, { baseOffset: 2, leaderEpoch: 4 }),
      /leader epoch 5/,
    ],
    ['a record that ends elsewhere than it says', (b) => (b[61] = 0x16), /records that can be decoded/],
  ])('a deep look finds %s, although the CRC is right', async (_, spoil, expected) => {
    const first = batchOf(['a', 'b']);
    stampBatch(first, { baseOffset: 0, leaderEpoch: 5 });
    const second = batchOf(['c', 'd']);
    stampBatch(second, { baseOffset: 2, leaderEpoch: 5 });
    spoil(second);
    stampCrc(second);
    await overwrite(LOG, () => Buffer.concat([first, second]));
    const findings = findingsOf(await inspect(LOG, { deep: true }));
    expect(findings).toEqual([
      expect.objectContaining({ position: first.length, expected: expect.stringMatching(expected) }),
    ]);
  });

  it('ends where a batch of another version stands, whose fields would mean other things', async () => {
    fixture.append(['one']);
    await fixture.flushed();
    await overwrite(LOG, (bytes) => void bytes.writeUInt8(1, 16));
    expect(await inspect(LOG)).toMatchObject([
      { kind: 'file' },
      { kind: 'finding', position: 0, expected: 'a batch with magic 2', found: '1' },
    ]);
  });

  it('offsets of records that do not grow inside of a batch are found', async () => {
    const builder = new BatchBuilder({ compression: 'none' });
    for (const value of ['a', 'b']) builder.append({ value: Buffer.from(value), timestampMs: 1 });
    const batch = builder.build();
    // Each record is 8 bytes: length, attributes, time, offset delta, key, value length, value, headers.
    batch[61 + 8 + 3] = 0;
    stampCrc(batch);
    await overwrite(LOG, () => batch);
    expect(findingsOf(await inspect(LOG, { deep: true }))).toMatchObject([
      { expected: 'records that can be decoded', found: expect.stringMatching(/record 1 has offset 0/) },
    ]);
  });
});

describe('the indexes of a segment', () => {
  beforeEach(filled);
  const verify = async (): Promise<Finding[]> => findingsOf(await inspectAll({ verifyIndex: true }));
  const entries = async (path: string) => fieldsOf(await inspect(path));

  it('agree with it after rolls and a clean stop, and have entries', async () => {
    const found = await inspectAll({ verifyIndex: true });
    expect(findingsOf(found)).toEqual([]);
    const summaries = fieldsOf(found);
    expect(summaries.length).toBe(2 * segmentsOf(await findLogFiles(fixture.files, '/data')).length);
    expect(summaries.every(({ entries, mismatches }) => Number(entries) > 0 && mismatches === 0)).toBe(true);
  });

  it('an entry with a wrong offset, position or timestamp is shown with both values', async () => {
    const [offset] = await entries(FIRST_INDEX);
    const [time] = await entries(FIRST_TIMES);
    await overwrite(FIRST_INDEX, (bytes) => void bytes.writeInt32BE(Number(offset?.offset) - 1, 0));
    await overwrite(FIRST_TIMES, (bytes) => void bytes.writeInt32BE(Number(time?.timestamp) - 1, 4));
    expect(
      (await verify()).map(({ file, position, expected, found }) => [file, position, expected, found]),
    ).toEqual([
      [
        FIRST_INDEX,
        0,
        `offset ${offset?.offset}, the last of the batch at ${offset?.position}`,
        `offset ${Number(offset?.offset) - 1}`,
      ],
      [
        FIRST_TIMES,
        0,
        `timestamp ${time?.timestamp}, the largest of the batch with offset ${time?.offset}`,
        `timestamp ${Number(time?.timestamp) - 1}`,
      ],
    ]);
    await overwrite(FIRST_INDEX, (bytes) => {
      bytes.writeInt32BE(Number(offset?.offset), 0);
      bytes.writeInt32BE(Number(offset?.position) + 1, 4);
    });
    expect((await verify())[0]).toMatchObject({ found: 'none there' });
  });

  it('any flipped bit in them is found', async () => {
    for (const path of [FIRST_INDEX, FIRST_TIMES]) {
      const size = (await fixture.files.stat(path))?.sizeBytes ?? 0;
      expect(size).toBeGreaterThan(0);
      for (let bit = 0; bit < size * 8; bit++) {
        const flip = (bytes: Buffer): undefined => {
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        };
        await overwrite(path, flip);
        expect(findingsOf(await inspect(LOG, { verifyIndex: true })), `${path} bit ${bit}`).not.toEqual([]);
        await overwrite(path, flip);
      }
    }
  });

  it('a time entry that forgets an earlier batch with a larger timestamp is found', async () => {
    const parts = [5000, 1000].map((timeMs, i) => {
      const batch = batchOf(['x'], { timeMs });
      stampBatch(batch, { baseOffset: i, leaderEpoch: 0 });
      return batch;
    });
    await overwrite(LOG, () => Buffer.concat(parts));
    await overwrite(FIRST_INDEX, () => new Uint8Array());
    // Timestamp 1000 at offset 1.
    await overwrite(FIRST_TIMES, () => Buffer.from('00000000000003e800000001', 'hex'));
    expect(findingsOf(await inspect(LOG, { verifyIndex: true }))).toMatchObject([
      { expected: 'timestamp 5000, the largest up to offset 1', found: 'timestamp 1000' },
    ]);
  });

  it('an entry behind the end, a torn entry and a missing last timestamp are found', async () => {
    await overwrite(FIRST_INDEX, (bytes) => Buffer.concat([bytes, Buffer.from([0, 1, 0, 0, 0, 1, 0, 0, 9])]));
    const count = (await entries(FIRST_TIMES)).length;
    await overwrite(FIRST_TIMES, (bytes) => bytes.subarray(0, (count - 1) * 12));
    expect((await verify()).map(({ expected, found }) => `${expected} <> ${found}`)).toEqual([
      expect.stringMatching(/^a position below \d+ <> position 65536 of offset 65536$/),
      'an entry of 8 bytes <> 1 bytes',
      expect.stringMatching(/^a last entry of timestamp \d+, the largest of the segment <> timestamp \d+$/),
    ]);
  });
});

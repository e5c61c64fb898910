/** One entrance for all files of a log: what a file holds, as rows, whatever its format. Reads only, takes no lock. */
import { CorruptionError, type Offset, StartupError } from '../../base/index.ts';
import { decodeMetaProperties, type FileHandle, type Files } from '../../env/index.ts';
import { decodeOffsetCheckpoint } from '../checkpoint/checkpoints.ts';
import { decodeCleanShutdown } from '../checkpoint/clean-shutdown.ts';
import { decodePartitionMetadata } from '../checkpoint/partition-metadata.ts';
import { decodeEpochEntries } from '../epoch/epoch-checkpoint.ts';
import { decodeProducerEntries, firstSequenceOf } from '../producer/producer-snapshot.ts';
import { decodeOffsetEntries } from '../segment/offset-index.ts';
import { decodeTimeEntries } from '../segment/time-index.ts';
import { findLogFileKind, type LogFileKind } from './file-kinds.ts';
import { inspectSegment, type SegmentOptions } from './inspect-segment.ts';
import type { Fields, Inspection, RowType } from './inspection.ts';
import { GONE, openOrNothing, verifySegment } from './verify-segment.ts';

/** Files other than segments are held in memory to this length; the rest is left out, and missed by their decoders. */
const SMALL_BYTES_MAX = 256 * 1024 * 1024;

/**
 * A start, then rows, notes and findings in the order of the file. A file that vanished meanwhile is a note. Throws
 * StartupError when the name is not of a log's file, EnvironmentError when it cannot be read.
 */
export async function* inspectLogFile(
  files: Files,
  path: string,
  options: SegmentOptions = {},
): AsyncGenerator<Inspection> {
  const name = findLogFileKind(path);
  if (name === undefined) throw new StartupError(`${path} is not a file of a log by its name`);
  const handle = await openOrNothing(files, path);
  if (handle === undefined) {
    yield { kind: 'note', file: path, position: 0, text: GONE };
    return;
  }
  try {
    const sizeBytes = await handle.sizeBytes();
    if (options.verifyIndex !== true) yield { kind: 'file', file: path, fileKind: name.kind, sizeBytes };
    if (name.kind !== 'segment')
      yield* inspectSmall(name.kind, path, name.baseOffset, await readAll(handle, sizeBytes));
    else if (options.verifyIndex !== true || options.deep === true)
      yield* inspectSegment(files, handle, name.baseOffset, options);
  } finally {
    await handle.close();
  }
  if (name.kind === 'segment' && options.verifyIndex === true)
    yield* await verifySegment(files, path, name.baseOffset);
}

/** Of an open file: its name may be another's by now, or nobody's. */
async function readAll(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(sizeBytes, SMALL_BYTES_MAX));
  return bytes.subarray(0, await handle.read(bytes, 0));
}

function* inspectSmall(
  kind: Exclude<LogFileKind, 'segment'>,
  file: string,
  baseOffset: Offset,
  bytes: Buffer,
): Generator<Inspection> {
  const type = ROW_TYPES[kind];
  try {
    for (const fields of DECODERS[kind](bytes, file, baseOffset)) yield { kind: 'row', file, type, fields };
  } catch (error) {
    if (error instanceof CorruptionError) {
      const { position, expected, found } = error;
      yield { kind: 'finding', file, position, expected, found };
    } else if (error instanceof StartupError)
      yield {
        kind: 'finding',
        file,
        position: 0,
        expected: 'a file that can be understood',
        found: error.message,
      };
    else throw error;
  }
}

const ROW_TYPES: Readonly<Record<Exclude<LogFileKind, 'segment'>, RowType>> = {
  'offset-index': 'offset_index_entry',
  'time-index': 'time_index_entry',
  'producer-snapshot': 'producer',
  'leader-epoch-checkpoint': 'leader_epoch',
  'offset-checkpoint': 'offset',
  'partition-metadata': 'partition_metadata',
  'meta-properties': 'meta_properties',
  'clean-shutdown': 'clean_shutdown',
};

type Decoder = (bytes: Buffer, file: string, baseOffset: Offset) => Iterable<Fields>;

const DECODERS: Readonly<Record<Exclude<LogFileKind, 'segment'>, Decoder>> = {
  'offset-index': function* (bytes, file, baseOffset) {
    for (const { offset, position } of decodeOffsetEntries(bytes, baseOffset, file))
      yield { offset, position };
  },
  'time-index': function* (bytes, file, baseOffset) {
    for (const { timestampMs, offset } of decodeTimeEntries(bytes, baseOffset, file))
      yield { timestamp: timestampMs, offset };
  },
  'producer-snapshot': (bytes, file) =>
    decodeProducerEntries(bytes, file).map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnFirstOffset: entry.currentTxnFirstOffset < 0 ? null : entry.currentTxnFirstOffset,
      firstSequence: firstSequenceOf(entry),
      lastSequence: entry.lastSequence,
      lastOffset: entry.lastOffset,
      offsetDelta: entry.offsetDelta,
      timestamp: entry.timestampMs,
    })),
  'leader-epoch-checkpoint': (bytes, file) =>
    decodeEpochEntries(bytes, file).map(({ epoch, startOffset }) => ({ epoch, startOffset })),
  'offset-checkpoint': (bytes, file) =>
    decodeOffsetCheckpoint(bytes, file).map(({ topic, partition, offset }) => ({ topic, partition, offset })),
  'partition-metadata': (bytes, file) => [{ version: 0, topicId: decodePartitionMetadata(bytes, file) }],
  'meta-properties': (bytes, file) => {
    const { clusterId, nodeId, directoryId } = decodeMetaProperties(file, bytes.toString());
    return [{ version: 1, clusterId, nodeId, directoryId }];
  },
  'clean-shutdown': (bytes) => [{ version: 0, brokerEpoch: decodeCleanShutdown(bytes) }],
};

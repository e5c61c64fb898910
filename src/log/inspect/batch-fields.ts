/** Batches and records under the names of kafka-dump-log. */
import { type BatchHeader, type RecordCursor, toControlType } from '../record/index.ts';
import type { Fields } from './inspection.ts';

const SEQUENCE_COUNT = 2 ** 31;

export function batchFields(header: BatchHeader): Fields {
  return {
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    count: header.count,
    baseSequence: header.baseSequence,
    lastSequence:
      header.baseSequence < 0 ? -1 : (header.baseSequence + header.lastOffsetDelta) % SEQUENCE_COUNT,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    partitionLeaderEpoch: header.leaderEpoch,
    isTransactional: header.isTransactional,
    isControl: header.isControl,
    ...(header.hasDeleteHorizon ? { deleteHorizonMs: header.baseTimestamp } : {}),
    timestampType: header.timestampType,
    maxTimestamp: header.maxTimestamp,
    size: header.sizeBytes,
    magic: header.magic,
    compresscodec: header.codec ?? 'unknown',
    crc: header.crc,
  };
}

/** Of the record that the cursor stands on. */
export function recordFields(record: RecordCursor, header: BatchHeader): Fields {
  const { offset, timestampMs, key, value } = record;
  return {
    offset,
    [header.timestampType]: timestampMs,
    keySize: key?.length ?? -1,
    valueSize: value?.length ?? -1,
    headerKeys: record.headers().map((one) => one.key),
    ...(header.isControl ? { controlType: toControlType(key) } : {}),
    key: key?.toString() ?? null,
    payload: value?.toString() ?? null,
  };
}

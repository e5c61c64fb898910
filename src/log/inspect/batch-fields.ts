/** Batches and records under the names of kafka-dump-log. */
import { type BatchHeader, controlTypeOf, type DecodedRecord } from '../record/index.ts';
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

/** `batch`: the whole batch of the record. */
export function recordFields(record: DecodedRecord, header: BatchHeader, batch: Uint8Array): Fields {
  return {
    offset: record.offset,
    [header.timestampType]: record.timestampMs,
    keySize: record.key?.length ?? -1,
    valueSize: record.value?.length ?? -1,
    headerKeys: record.headers.map(({ key }) => key),
    ...(header.isControl ? { controlType: controlTypeOf(batch) } : {}),
    key: text(record.key),
    payload: text(record.value),
  };
}

function text(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

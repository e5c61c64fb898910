import type { LeaderEpoch, Offset, ProducerId, WallMs } from '../../base/index.ts';
import { readInt16, readInt32, readInt64, readUint32 } from './bytes.ts';
import { type CompressionType, compressionOf } from './compression-type.ts';

/**
 * Header of a record batch, version 2: 61 bytes, big-endian, records after it.
 *
 *    0  i64  base offset           outside the CRC: the leader stamps it
 *    8  i32  batch length          bytes after this field: the size of the batch - 12
 *   12  i32  partition leader epoch  outside the CRC: the leader stamps it
 *   16  i8   magic = 2
 *   17  u32  CRC-32C of bytes 21 to the end
 *   21  i16  attributes            bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
 *   23  i32  last offset delta     kept through compaction
 *   27  i64  base timestamp        or the delete horizon
 *   35  i64  max timestamp
 *   43  i64  producer id           -1: none
 *   51  i16  producer epoch        -1: none
 *   53  i32  base sequence         -1: none
 *   57  i32  record count
 *   61       records; when compressed, this part alone and as one stream
 *
 * Source: Kafka's DefaultRecordBatch, KIP-98.
 */
export const BATCH_HEADER_BYTES = 61;
/** Bytes before what `batch length` counts. */
export const BATCH_OVERHEAD_BYTES = 12;
export const BATCH_MAGIC = 2;
/** Where the bytes begin that the CRC covers. */
export const BATCH_CRC_START = 21;

export const FIELD = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const;

export const ATTRIBUTE = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const;

/** Whose clock the timestamps are: the producer's or the broker's. */
export type TimestampType = 'CreateTime' | 'LogAppendTime';

/** The fields of a header at the moment of reading; later stamps do not show. */
export interface BatchHeader {
  readonly baseOffset: Offset;
  readonly batchLength: number;
  /** Of the whole batch, header included. */
  readonly sizeBytes: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  /** undefined: a codec number that the format does not define. */
  readonly codec: CompressionType | undefined;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly hasDeleteHorizon: boolean;
  readonly lastOffsetDelta: number;
  /** Inclusive: base offset + last offset delta. */
  readonly lastOffset: Offset;
  readonly baseTimestamp: WallMs;
  readonly maxTimestamp: WallMs;
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

/** The header at `position`, whose 61 bytes must be there. Nothing is checked: see validateBatch. */
export function readBatchHeader(bytes: Uint8Array, position = 0): BatchHeader {
  const baseOffset = batchBaseOffset(bytes, position);
  const batchLength = readInt32(bytes, position + FIELD.batchLength);
  const attributes = readInt16(bytes, position + FIELD.attributes);
  const lastOffsetDelta = readInt32(bytes, position + FIELD.lastOffsetDelta);
  return {
    baseOffset,
    batchLength,
    sizeBytes: batchLength + BATCH_OVERHEAD_BYTES,
    leaderEpoch: readInt32(bytes, position + FIELD.leaderEpoch),
    magic: bytes[position + FIELD.magic] as number,
    crc: readUint32(bytes, position + FIELD.crc),
    attributes,
    codec: compressionOf(attributes & ATTRIBUTE.codecMask),
    timestampType: (attributes & ATTRIBUTE.logAppendTime) === 0 ? 'CreateTime' : 'LogAppendTime',
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    hasDeleteHorizon: (attributes & ATTRIBUTE.deleteHorizon) !== 0,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp: readInt64(bytes, position + FIELD.baseTimestamp),
    maxTimestamp: readInt64(bytes, position + FIELD.maxTimestamp),
    producerId: readInt64(bytes, position + FIELD.producerId),
    producerEpoch: readInt16(bytes, position + FIELD.producerEpoch),
    baseSequence: readInt32(bytes, position + FIELD.baseSequence),
    count: readInt32(bytes, position + FIELD.count),
  };
}

export function batchBaseOffset(bytes: Uint8Array, position = 0): Offset {
  return readInt64(bytes, position + FIELD.baseOffset);
}

/** Inclusive. */
export function batchLastOffset(bytes: Uint8Array, position = 0): Offset {
  return batchBaseOffset(bytes, position) + readInt32(bytes, position + FIELD.lastOffsetDelta);
}

/** Size of the whole batch at `position`, as its length field says; 12 bytes must be there. */
export function batchSizeBytes(bytes: Uint8Array, position = 0): number {
  return readInt32(bytes, position + FIELD.batchLength) + BATCH_OVERHEAD_BYTES;
}

/** What tells a record batch of this version from other bytes; 17 bytes must be there. */
export function batchMagic(bytes: Uint8Array, position = 0): number {
  return bytes[position + FIELD.magic] as number;
}

export function batchMaxTimestamp(bytes: Uint8Array, position = 0): WallMs {
  return readInt64(bytes, position + FIELD.maxTimestamp);
}

export function batchLeaderEpoch(bytes: Uint8Array, position = 0): LeaderEpoch {
  return readInt32(bytes, position + FIELD.leaderEpoch);
}

import { ApiError, type Offset } from '../../base/index.ts';
import type { RecordHeader } from './batch-builder.ts';
import { BATCH_HEADER_BYTES, type BatchHeader, readBatchHeader } from './batch-header.ts';
import { toBuffer } from './bytes.ts';
import { inflate } from './compression.ts';
import { VarintReader } from './varint.ts';

/**
 * Records of a batch, in clear.
 *
 *   length varint (bytes after it) | attributes i8 = 0 | timestamp delta varlong | offset delta varint
 *   key length varint (-1: null) | key | value length varint (-1: null) | value
 *   header count varint | { key length varint | key utf-8 | value length varint (-1: null) | value }*
 *
 * Strict: a record ends exactly at its length, the records end exactly at the end. Source: Kafka's
 * DefaultRecord.
 */
export interface DecodedRecord {
  readonly offset: Offset;
  readonly timestampMs: number;
  /** Absent: null. The memory of the batch, or of its inflated records. */
  readonly key?: Uint8Array;
  /** Absent: null (a tombstone). */
  readonly value?: Uint8Array;
  /** In the order sent; a key may occur more than once. */
  readonly headers: readonly RecordHeader[];
}

export interface DecodeLimits {
  /**
   * Compressed records may inflate to this many bytes; beyond, the batch is refused with INVALID_RECORD. It
   * can tighten {@link inflatedBytesMaxOf}, not loosen it.
   */
  readonly inflatedBytesMax: number;
}

/** Nothing beyond {@link inflatedBytesMaxOf}. */
export const DEFAULT_DECODE_LIMITS: DecodeLimits = { inflatedBytesMax: Number.MAX_SAFE_INTEGER };

/** What a batch may inflate to however small it is. */
const INFLATED_BYTES_FLOOR = 16 * 1024 * 1024;
const INFLATED_RATIO_MAX = 16;

/**
 * What the records of a compressed batch of `batchBytes` may inflate to. It depends on nothing but the batch:
 * what a leader let pass, every reader after it can open. A small batch that hides a large one costs 16 MiB
 * and is refused.
 */
export function inflatedBytesMaxOf(batchBytes: number): number {
  return Math.max(INFLATED_BYTES_FLOOR, INFLATED_RATIO_MAX * batchBytes);
}

const NO_HEADERS: readonly RecordHeader[] = [];
/** A record takes at least this: length, attributes, two deltas, two null lengths, header count. */
const RECORD_BYTES_MIN = 7;

/**
 * All records of one whole batch, ascending by offset. Keys and values share memory with `batch` unless it
 * is compressed. The CRC is not compared (see validateBatch). Throws ApiError CORRUPT_MESSAGE,
 * INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE.
 */
export function decodeRecords(
  batch: Uint8Array,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): DecodedRecord[] {
  if (batch.length < BATCH_HEADER_BYTES)
    throw new ApiError('CORRUPT_MESSAGE', `${batch.length} bytes are no record batch`);
  const header = readBatchHeader(batch);
  const bytes = inflateRecords(batch, header, limits);
  if (header.count < 0 || header.count * RECORD_BYTES_MIN > bytes.length)
    throw new ApiError('INVALID_RECORD', `${header.count} records cannot be in ${bytes.length} bytes`);
  const reader = new VarintReader(bytes, 0, bytes.length);
  const records: DecodedRecord[] = [];
  for (let index = 0; index < header.count; index++) records.push(decodeRecord(bytes, reader, header));
  if (reader.position !== bytes.length)
    throw invalid(header, `${bytes.length - reader.position} bytes follow the last record`);
  return records;
}

/**
 * The records part of `batch` in clear: the same memory when it is not compressed. Throws like {@link
 * decodeRecords}.
 */
export function inflateRecords(
  batch: Uint8Array,
  header: BatchHeader,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): Buffer {
  if (header.codec === undefined)
    throw new ApiError('UNSUPPORTED_COMPRESSION_TYPE', `no codec has number ${header.attributes & 0x07}`);
  const limitBytes = Math.min(limits.inflatedBytesMax, inflatedBytesMaxOf(batch.length));
  return toBuffer(inflate(header.codec, batch.subarray(BATCH_HEADER_BYTES), limitBytes));
}

function decodeRecord(bytes: Buffer, reader: VarintReader, header: BatchHeader): DecodedRecord {
  const length = reader.varint();
  const end = reader.position + length;
  if (length < RECORD_BYTES_MIN - 1 || end > bytes.length)
    throw invalid(header, reader.failure ?? `a record of ${length} bytes does not fit`);
  reader.position++;
  const timestampDelta = reader.varlong();
  const offset = header.baseOffset + reader.varint();
  const key = readBlob(bytes, reader);
  const value = readBlob(bytes, reader);
  const headerCount = reader.varint();
  const headers = headerCount === 0 ? NO_HEADERS : readHeaders(bytes, reader, headerCount, header);
  if (reader.failure !== undefined) throw invalid(header, `a record ${reader.failure}`);
  if (reader.position !== end)
    throw invalid(header, `a record is ${reader.position - end} bytes off its length`);
  if (offset < header.baseOffset || offset > header.lastOffset)
    throw invalid(header, `a record has offset ${offset}`);
  const timestampMs =
    header.timestampType === 'LogAppendTime' ? header.maxTimestamp : header.baseTimestamp + timestampDelta;
  if (key === undefined) {
    return value === undefined ? { offset, timestampMs, headers } : { offset, timestampMs, value, headers };
  }
  return value === undefined
    ? { offset, timestampMs, key, headers }
    : { offset, timestampMs, key, value, headers };
}

/** undefined: null. A length that does not fit makes the reader fail. */
function readBlob(bytes: Buffer, reader: VarintReader): Buffer | undefined {
  const length = reader.varint();
  if (length < 0) {
    if (length !== -1) reader.failure ??= `holds a length of ${length}`;
    return undefined;
  }
  const start = reader.position;
  if (start + length > bytes.length) {
    reader.failure ??= `holds a length of ${length}, more than is left`;
    return undefined;
  }
  reader.position = start + length;
  return bytes.subarray(start, start + length);
}

function readHeaders(bytes: Buffer, reader: VarintReader, count: number, batch: BatchHeader): RecordHeader[] {
  if (count < 0 || count * 2 > bytes.length - reader.position)
    throw invalid(batch, `a record says it has ${count} headers`);
  const headers: RecordHeader[] = [];
  for (let index = 0; index < count; index++) {
    const key = readBlob(bytes, reader);
    if (key === undefined) throw invalid(batch, 'a record has a header without a key');
    const value = readBlob(bytes, reader);
    headers.push(value === undefined ? { key: key.toString() } : { key: key.toString(), value });
  }
  return headers;
}

function invalid(header: BatchHeader, problem: string): ApiError {
  return new ApiError('INVALID_RECORD', `the batch at offset ${header.baseOffset} is not valid: ${problem}`);
}

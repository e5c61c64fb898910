/**
 * Walks the records of a batch in clear: the one reader of their grammar, for the leader that checks them and for
 * everyone after it.
 *
 *   length varint (bytes after it) | attributes i8 = 0 | timestamp delta varlong | offset delta varint
 *   key length varint (-1: null) | key | value length varint (-1: null) | value
 *   header count varint | { key length varint | key utf-8 | value length varint (-1: null) | value }*
 *
 * Strict: a record ends exactly at its length, the records end exactly at the end, offsets grow within the span of
 * the batch. A batch of a few KB may hold millions of records, so no object is made of any until it is asked for;
 * a step costs a handful of one-byte varints. Source: Kafka's DefaultRecord and LogValidator.
 */
import { ApiError, NONE, type Offset, toBuffer, type WallMs } from '../../base/index.ts';
import type { RecordHeader } from './batch-builder.ts';
import type { BatchHeader } from './batch-header.ts';
import { type DecodeLimits, inflateRecords } from './inflate-records.ts';
import { VarintReader } from './varint.ts';

/**
 * Headers of one record. As objects they cost a hundred times their two bytes, and who reads a record gets all of
 * them: one with more is refused with INVALID_RECORD, by its leader and by every reader.
 */
export const RECORD_HEADERS_MAX = 10_000;

const NO_HEADERS: readonly RecordHeader[] = [];

/** The fields speak of the record that the last `next` found, and change with the next one. */
export class RecordCursor {
  readonly bytes: Buffer;
  readonly #header: BatchHeader;
  readonly #reader: VarintReader;
  /** Records that follow this one. */
  #left: number;
  /** Of all records; NONE: each has its own. */
  readonly #stampedMs: WallMs;
  readonly #isStored: boolean;
  /** The whole record, its length included: [start, end). */
  start: number;
  end: number;
  /** Where the attributes stand. */
  bodyStart = 0;
  /** After the timestamp delta: what does not depend on the timestamps of the batch. */
  restStart = 0;
  timestampDelta = 0;
  offsetDelta: number = NONE;
  /** The key is [keyStart, keyEnd); keyStart -1: there is none. */
  keyStart: number = NONE;
  keyEnd: number = NONE;
  /** As of the key; there is none: a tombstone. */
  valueStart: number = NONE;
  valueEnd: number = NONE;
  headerCount = 0;
  #headersStart = 0;

  /**
   * At the first record of a whole batch, whose CRC is not compared (see validateBatch). Throws ApiError
   * CORRUPT_MESSAGE, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE, like {@link inflateRecords}.
   */
  static open(batch: Uint8Array, header: BatchHeader, limits?: DecodeLimits): RecordCursor {
    return new RecordCursor(inflateRecords(batch, header, limits), header);
  }

  /**
   * Before the first record of `bytes`, which from `start` on are the records part of the batch, inflated.
   * `isStored`: refusals name the batch by its offset, which in a produced one says nothing.
   */
  constructor(bytes: Uint8Array, header: BatchHeader, start = 0, isStored = true) {
    this.bytes = toBuffer(bytes);
    this.#header = header;
    this.#reader = new VarintReader(this.bytes, start, bytes.length);
    this.#left = header.count;
    this.#stampedMs = header.timestampType === 'LogAppendTime' ? header.maxTimestamp : NONE;
    this.#isStored = isStored;
    this.start = this.end = start;
  }

  /** Records that `next` has not found yet, if the header tells the truth. */
  get left(): number {
    return this.#left;
  }

  get offset(): Offset {
    return this.#header.baseOffset + this.offsetDelta;
  }

  get timestampMs(): WallMs {
    return this.#stampedMs === NONE ? this.#header.baseTimestamp + this.timestampDelta : this.#stampedMs;
  }

  /** False: a tombstone. */
  get hasValue(): boolean {
    return this.valueStart >= 0;
  }

  /** undefined: null. Shares the memory of `bytes`. */
  get key(): Buffer | undefined {
    return this.keyStart < 0 ? undefined : this.bytes.subarray(this.keyStart, this.keyEnd);
  }

  /** undefined: null, a tombstone. Shares the memory of `bytes`. */
  get value(): Buffer | undefined {
    return this.valueStart < 0 ? undefined : this.bytes.subarray(this.valueStart, this.valueEnd);
  }

  /** In the order sent; a key may occur more than once. Values share the memory of `bytes`. */
  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return NO_HEADERS;
    const { bytes } = this;
    const reader = new VarintReader(bytes, this.#headersStart, this.end);
    const headers: RecordHeader[] = [];
    for (let i = 0; i < this.headerCount; i++) {
      const keyBytes = reader.varint();
      const keyStart = reader.position;
      reader.position += keyBytes;
      const key = bytes.toString('utf8', keyStart, reader.position);
      const valueBytes = reader.varint();
      const valueStart = reader.position;
      if (valueBytes > 0) reader.position += valueBytes;
      headers.push(
        valueBytes < 0 ? { key } : { key, value: bytes.subarray(valueStart, valueStart + valueBytes) },
      );
    }
    return headers;
  }

  /**
   * False after the last record. Throws ApiError INVALID_RECORD where the bytes are not records; the last record is
   * not found when anything follows it.
   */
  next(): boolean {
    const reader = this.#reader;
    if (this.#left === 0) {
      this.#assertAtEnd();
      return false;
    }
    this.start = reader.position;
    const length = reader.varint();
    const bodyStart = reader.position;
    const end = bodyStart + length;
    if (length < 1 || end > reader.end) this.#refuse(`says it has ${length} bytes`);
    this.bodyStart = bodyStart;
    this.end = end;
    reader.position = bodyStart + 1;
    this.timestampDelta = reader.varlong();
    this.restStart = reader.position;
    const offsetDelta = reader.varint();
    const keyBytes = reader.varint();
    this.keyStart = keyBytes < 0 ? NONE : reader.position;
    if (keyBytes > 0) reader.position += keyBytes;
    this.keyEnd = reader.position;
    const valueBytes = reader.varint();
    this.valueStart = valueBytes < 0 ? NONE : reader.position;
    if (valueBytes > 0) reader.position += valueBytes;
    this.valueEnd = reader.position;
    this.headerCount = reader.varint();
    if (this.headerCount !== 0) this.#passHeaders();
    if (keyBytes < NONE || valueBytes < NONE) this.#refuse('holds a length that cannot be');
    if (reader.position !== end || reader.failure !== undefined)
      this.#refuse(`is ${reader.position - end} bytes off its length`);
    if (offsetDelta <= this.offsetDelta || offsetDelta > this.#header.lastOffsetDelta)
      this.#refuseOffset(offsetDelta);
    this.offsetDelta = offsetDelta;
    this.#left--;
    if (this.#left === 0) this.#assertAtEnd();
    return true;
  }

  /** Positions only grow, so a count that lies ends at the end of the record. */
  #passHeaders(): void {
    const { headerCount: count, end } = this;
    const reader = this.#reader;
    this.#headersStart = reader.position;
    if (count < 0 || count * 2 > end - reader.position) this.#refuse(`says it has ${count} headers`);
    if (count > RECORD_HEADERS_MAX) this.#refuse(`has ${count} headers, more than ${RECORD_HEADERS_MAX}`);
    for (let i = 0; i < count; i++) {
      const keyBytes = reader.varint();
      if (keyBytes < 0) this.#refuse('has a header without a key');
      reader.position += keyBytes;
      const valueBytes = reader.varint();
      if (valueBytes < NONE) this.#refuse('holds a length that cannot be');
      if (valueBytes > 0) reader.position += valueBytes;
    }
  }

  #assertAtEnd(): void {
    const leftBytes = this.#reader.end - this.end;
    if (leftBytes !== 0) this.#throw(`${leftBytes} bytes follow the last record`);
  }

  #refuseOffset(delta: number): never {
    const { baseOffset, lastOffset } = this.#header;
    this.#refuse(`has offset ${baseOffset + delta}, not one above ${this.offset} and up to ${lastOffset}`);
  }

  #refuse(otherwise: string): never {
    this.#throw(`record ${this.#header.count - this.#left} ${this.#reader.failure ?? otherwise}`);
  }

  #throw(problem: string): never {
    const place = this.#isStored ? `the batch at offset ${this.#header.baseOffset} is not valid: ` : '';
    throw new ApiError('INVALID_RECORD', place + problem);
  }
}

import { ApiError, type Offset } from '../../base/index.ts';
import type { BatchHeader } from './batch-header.ts';
import { DEFAULT_DECODE_LIMITS, inflateRecords } from './decode-records.ts';
import { VarintReader } from './varint.ts';

/**
 * Walks the records of a batch in clear without making an object of any: where each lies, its offset, its key,
 * and whether it has a value. Headers and values are passed over.
 *
 * The fields speak of the record that the last `next` found, and change with the next one.
 */
export class RecordCursor {
  readonly bytes: Uint8Array;
  readonly #header: BatchHeader;
  readonly #reader: VarintReader;
  #left: number;
  /** The whole record, its length included: [start, end). */
  start = 0;
  end = 0;
  /** Where the attributes stand. */
  bodyStart = 0;
  /** After the timestamp delta: what does not depend on the timestamps of the batch. */
  restStart = 0;
  offset: Offset = 0;
  timestampDelta = 0;
  /** The key is [keyStart, keyEnd); keyStart -1: there is none. */
  keyStart = -1;
  keyEnd = -1;
  /** False: a tombstone. */
  hasValue = false;

  /** At the first record of a whole batch. Throws ApiError like decodeRecords. */
  static open(batch: Uint8Array, header: BatchHeader): RecordCursor {
    return new RecordCursor(inflateRecords(batch, header, DEFAULT_DECODE_LIMITS), header);
  }

  /** `clear`: the records part of the batch, inflated. */
  constructor(clear: Uint8Array, header: BatchHeader) {
    this.bytes = clear;
    this.#header = header;
    this.#reader = new VarintReader(clear, 0, clear.length);
    this.#left = header.count;
  }

  /** False after the last record. Throws ApiError INVALID_RECORD where the bytes are not records. */
  next(): boolean {
    const reader = this.#reader;
    if (this.#left === 0) {
      if (this.end !== this.bytes.length)
        this.#refuse(`${this.bytes.length - this.end} bytes follow the last record`);
      return false;
    }
    this.#left--;
    this.start = reader.position;
    const length = reader.varint();
    this.bodyStart = reader.position;
    this.end = this.bodyStart + length;
    if (length < 1 || this.end > this.bytes.length) this.#refuse(`a record of ${length} bytes does not fit`);
    reader.position = this.bodyStart + 1;
    this.timestampDelta = reader.varlong();
    this.restStart = reader.position;
    this.offset = this.#header.baseOffset + reader.varint();
    const keyBytes = reader.varint();
    this.keyStart = keyBytes < 0 ? -1 : reader.position;
    this.keyEnd = keyBytes < 0 ? -1 : reader.position + keyBytes;
    if (keyBytes > 0) reader.position += keyBytes;
    this.hasValue = reader.varint() >= 0;
    if (reader.failure !== undefined || reader.position > this.end) this.#refuse('a record is cut');
    if (this.offset < this.#header.baseOffset || this.offset > this.#header.lastOffset)
      this.#refuse(`a record has offset ${this.offset}`);
    reader.position = this.end;
    return true;
  }

  #refuse(problem: string): never {
    const { baseOffset } = this.#header;
    throw new ApiError('INVALID_RECORD', `the batch at offset ${baseOffset} is not valid: ${problem}`);
  }
}

import { assert, NONE, type ProducerId, toBuffer } from '../../base/index.ts';
import { ATTRIBUTE, BATCH_HEADER_BYTES, BATCH_MAGIC, BATCH_OVERHEAD_BYTES, FIELD } from './batch-header.ts';
import { writeInt16, writeInt32, writeInt64 } from './bytes.ts';
import { compress } from './compression.ts';
import { type CompressionType, compressionCode } from './compression-type.ts';
import { stampCrc } from './stamp-batch.ts';
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts';

export interface RecordHeader {
  readonly key: string;
  /** Absent: null. */
  readonly value?: Uint8Array;
}

export interface NewRecord {
  /** null or absent: no key. */
  readonly key?: Uint8Array | null;
  /** null or absent: a tombstone. */
  readonly value?: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
  readonly timestampMs: number;
}

export interface BatchBuilderOptions {
  readonly compression: CompressionType;
  readonly producerId?: ProducerId;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** LogAppendTime: every record bears the time of the last append to this builder. Default CreateTime. */
  readonly timestampType?: 'CreateTime' | 'LogAppendTime';
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** First guess of the size, to spare growing. */
  readonly capacityBytes?: number;
}

const CAPACITY_BYTES = 512;
/**
 * Buffers below it come out of Node's pool, which is several times cheaper; they pin little when half
 * empty.
 */
const POOLED_BYTES = 4096;
const NO_HEADERS: readonly RecordHeader[] = [];

/**
 * Builds one batch. Records are laid down as they come, behind room for the header, so that an uncompressed
 * batch is never copied; keys and values are copied at `append` and may be reused by the caller.
 */
export class BatchBuilder {
  readonly #options: BatchBuilderOptions;
  #bytes: Buffer;
  #position = BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestamp: number = NONE;
  #maxTimestamp: number = NONE;
  #built = false;

  constructor(options: BatchBuilderOptions) {
    this.#options = options;
    this.#bytes = Buffer.allocUnsafe(Math.max(options.capacityBytes ?? CAPACITY_BYTES, BATCH_HEADER_BYTES));
  }

  /** Header and records so far, before compression. */
  get sizeBytes(): number {
    return this.#position;
  }

  get count(): number {
    return this.#count;
  }

  append(record: NewRecord): void {
    assert(!this.#built, 'append to a batch that is built');
    const { timestampMs } = record;
    if (this.#count === 0) this.#baseTimestamp = timestampMs;
    if (timestampMs > this.#maxTimestamp || this.#count === 0) this.#maxTimestamp = timestampMs;
    const delta = timestampMs - this.#baseTimestamp;
    const headers = record.headers ?? NO_HEADERS;
    const key = record.key ?? null;
    const value = record.value ?? null;
    const length =
      1 +
      varlongBytes(delta) +
      varintBytes(this.#count) +
      blobBytes(key) +
      blobBytes(value) +
      headersBytes(headers);
    this.#reserve(length + 5);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#position, length);
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, delta);
    at = writeVarint(bytes, at, this.#count);
    at = writeBlob(bytes, at, key);
    at = writeBlob(bytes, at, value);
    this.#position = headers.length === 0 ? writeNoHeaders(bytes, at) : writeHeaders(bytes, at, headers);
    this.#count++;
  }

  /** The finished batch, base offset 0, leader epoch -1. It belongs to the caller; the builder is used up. */
  build(): Uint8Array {
    assert(!this.#built, 'a batch is built once');
    this.#built = true;
    const { compression } = this.#options;
    let batch = this.#bytes.subarray(0, this.#position);
    if (compression !== 'none') {
      const records = compress(compression, batch.subarray(BATCH_HEADER_BYTES));
      batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
      toBuffer(records).copy(batch, BATCH_HEADER_BYTES);
    } else if (this.#bytes.length > POOLED_BYTES && batch.length < this.#bytes.length / 2) {
      // A batch may live long in the log's memory: do not pin a buffer that is mostly empty.
      const exact = Buffer.allocUnsafe(batch.length);
      batch.copy(exact);
      batch = exact;
    }
    this.#writeHeader(batch);
    return batch;
  }

  #writeHeader(batch: Buffer): void {
    const options = this.#options;
    writeInt64(batch, FIELD.baseOffset, 0);
    writeInt32(batch, FIELD.batchLength, batch.length - BATCH_OVERHEAD_BYTES);
    writeInt32(batch, FIELD.leaderEpoch, NONE);
    batch[FIELD.magic] = BATCH_MAGIC;
    writeInt16(batch, FIELD.attributes, attributesOf(options));
    writeInt32(batch, FIELD.lastOffsetDelta, Math.max(0, this.#count - 1));
    writeInt64(batch, FIELD.baseTimestamp, this.#baseTimestamp);
    writeInt64(batch, FIELD.maxTimestamp, this.#maxTimestamp);
    writeInt64(batch, FIELD.producerId, options.producerId ?? NONE);
    writeInt16(batch, FIELD.producerEpoch, options.producerEpoch ?? NONE);
    writeInt32(batch, FIELD.baseSequence, options.baseSequence ?? NONE);
    writeInt32(batch, FIELD.count, this.#count);
    stampCrc(batch);
  }

  #reserve(bytes: number): void {
    const needed = this.#position + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#position);
    this.#bytes = grown;
  }
}

function attributesOf(options: BatchBuilderOptions): number {
  return (
    compressionCode(options.compression) |
    (options.timestampType === 'LogAppendTime' ? ATTRIBUTE.logAppendTime : 0) |
    (options.transactional === true ? ATTRIBUTE.transactional : 0) |
    (options.control === true ? ATTRIBUTE.control : 0)
  );
}

function blobBytes(blob: Uint8Array | null): number {
  return blob === null ? 1 : varintBytes(blob.length) + blob.length;
}

function headersBytes(headers: readonly RecordHeader[]): number {
  let bytes = varintBytes(headers.length);
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key);
    bytes += varintBytes(keyBytes) + keyBytes + blobBytes(value ?? null);
  }
  return bytes;
}

function writeBlob(bytes: Buffer, at: number, blob: Uint8Array | null): number {
  if (blob === null) return writeVarint(bytes, at, -1);
  const start = writeVarint(bytes, at, blob.length);
  bytes.set(blob, start);
  return start + blob.length;
}

function writeNoHeaders(bytes: Buffer, at: number): number {
  bytes[at] = 0;
  return at + 1;
}

function writeHeaders(bytes: Buffer, at: number, headers: readonly RecordHeader[]): number {
  let next = writeVarint(bytes, at, headers.length);
  for (const { key, value } of headers) {
    next = writeVarint(bytes, next, Buffer.byteLength(key));
    next += bytes.write(key, next);
    next = writeBlob(bytes, next, value ?? null);
  }
  return next;
}

/**
 * The metadata log in a key-value store: one key per entry, a base marker and a tail marker.
 *
 *   'e' offset:u64                                -> entry
 *   'b'                                           -> base marker
 *   't'                                           -> tail marker
 *
 *   entry  = version:u8=1 kind:u8 epoch:u32 offset:u64 previousHash:8 crc:u32 payload
 *   base   = version:u8=1 startOffset:u64 hash:8 clusterId:16 directoryId:16 crc:u32
 *   tail   = version:u8=1 endOffset:u64 lastHash:8 hardStateGeneration:u64 crc:u32
 *
 * Numbers are big-endian, so that keys sort by offset. crc is CRC-32C of all other bytes of the value. The hash of an
 * entry is the first 8 bytes of SHA-256 of its value, hence of all before it: an entry that was left over from another
 * history, another directory or another offset does not fit, although its own checksum is right.
 */
import { hash } from 'node:crypto';
import { crc32c, type Offset, toBuffer, type Uuid, uuidFromBytes, uuidToBytes } from '../../base/index.ts';
import type { Entry } from '../core/messages.ts';

const VERSION = 1;
const HASH_BYTES = 8;
const ENTRY_PREFIX = 0x65;
const ENTRY_HEADER_BYTES = 26;
const ENTRY_CRC_AT = 22;
const BASE_BYTES = 53;
const TAIL_BYTES = 29;

export const BASE_KEY: Uint8Array = Buffer.from('b');
export const TAIL_KEY: Uint8Array = Buffer.from('t');
/** Exclusive upper bound of the entries' keys. */
export const ENTRIES_END_KEY: Uint8Array = Buffer.from([ENTRY_PREFIX + 1]);

/** Eight bytes that stand for a log up to and with an entry. */
export type ChainHash = Buffer;

export interface BaseMarker {
  readonly startOffset: Offset;
  /** Of the entry before `startOffset`; for an empty past, of the identity. */
  readonly hash: ChainHash;
  readonly clusterId: Uuid;
  readonly directoryId: Uuid;
}

export interface TailMarker {
  readonly endOffset: Offset;
  readonly lastHash: ChainHash;
  /** Of the hard state that was durable when the batch was written: an older file was put back in its place. */
  readonly hardStateGeneration: number;
}

export function entryKey(offset: Offset): Uint8Array {
  const key = Buffer.allocUnsafe(9);
  key[0] = ENTRY_PREFIX;
  key.writeBigUInt64BE(BigInt(offset), 1);
  return key;
}

/** The offset in an entry's key, or undefined when it is no such key. */
export function offsetOfKey(key: Uint8Array): Offset | undefined {
  if (key.byteLength !== 9 || key[0] !== ENTRY_PREFIX) return undefined;
  return Number(toBuffer(key).readBigUInt64BE(1));
}

export function encodeEntry(entry: Entry, previous: ChainHash): Buffer {
  const value = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + entry.payload.byteLength);
  value[0] = VERSION;
  value[1] = entry.kind === 'control' ? 0 : 1;
  value.writeUInt32BE(entry.epoch, 2);
  value.writeBigUInt64BE(BigInt(entry.offset), 6);
  previous.copy(value, 14);
  value.set(entry.payload, ENTRY_HEADER_BYTES);
  value.writeUInt32BE(entryChecksum(value), ENTRY_CRC_AT);
  return value;
}

/** The entry in `bytes` and the hash before it, or what is wrong with them. The payload is a view of `bytes`. */
export function decodeEntry(bytes: Uint8Array): { entry: Entry; previous: ChainHash } | { problem: string } {
  const value = toBuffer(bytes);
  if (value.byteLength < ENTRY_HEADER_BYTES) return { problem: `only ${value.byteLength} bytes` };
  if (value[0] !== VERSION) return { problem: `version ${value[0]}, which this program does not know` };
  if (value.readUInt32BE(ENTRY_CRC_AT) !== entryChecksum(value)) return { problem: 'a wrong checksum' };
  const entry: Entry = {
    offset: Number(value.readBigUInt64BE(6)),
    epoch: value.readUInt32BE(2),
    kind: value[1] === 0 ? 'control' : 'data',
    payload: value.subarray(ENTRY_HEADER_BYTES),
  };
  return { entry, previous: value.subarray(14, ENTRY_CRC_AT) };
}

export function hashOfEntry(value: Uint8Array): ChainHash {
  return hash('sha256', value, 'buffer').subarray(0, HASH_BYTES);
}

/** The hash before the first entry a directory ever holds. */
export function genesisHash(clusterId: Uuid, directoryId: Uuid): ChainHash {
  return hashOfEntry(Buffer.concat([uuidToBytes(clusterId), uuidToBytes(directoryId)]));
}

export function encodeBase(base: BaseMarker): Buffer {
  const value = Buffer.alloc(BASE_BYTES);
  value[0] = VERSION;
  value.writeBigUInt64BE(BigInt(base.startOffset), 1);
  base.hash.copy(value, 9);
  uuidToBytes(base.clusterId).copy(value, 17);
  uuidToBytes(base.directoryId).copy(value, 33);
  return sealed(value);
}

/** Undefined when the bytes are not what {@link encodeBase} wrote. */
export function decodeBase(bytes: Uint8Array): BaseMarker | undefined {
  const value = toBuffer(bytes);
  if (!isSealed(value, BASE_BYTES)) return undefined;
  return {
    startOffset: Number(value.readBigUInt64BE(1)),
    hash: value.subarray(9, 17),
    clusterId: uuidFromBytes(value.subarray(17, 33)),
    directoryId: uuidFromBytes(value.subarray(33, 49)),
  };
}

export function encodeTail(tail: TailMarker): Buffer {
  const value = Buffer.alloc(TAIL_BYTES);
  value[0] = VERSION;
  value.writeBigUInt64BE(BigInt(tail.endOffset), 1);
  tail.lastHash.copy(value, 9);
  value.writeBigUInt64BE(BigInt(tail.hardStateGeneration), 17);
  return sealed(value);
}

/** Undefined when the bytes are not what {@link encodeTail} wrote. */
export function decodeTail(bytes: Uint8Array): TailMarker | undefined {
  const value = toBuffer(bytes);
  if (!isSealed(value, TAIL_BYTES)) return undefined;
  return {
    endOffset: Number(value.readBigUInt64BE(1)),
    lastHash: value.subarray(9, 17),
    hardStateGeneration: Number(value.readBigUInt64BE(17)),
  };
}

function entryChecksum(value: Buffer): number {
  return crc32c(value.subarray(ENTRY_HEADER_BYTES), crc32c(value.subarray(0, ENTRY_CRC_AT)));
}

function sealed(value: Buffer): Buffer {
  const crcAt = value.byteLength - 4;
  value.writeUInt32BE(crc32c(value.subarray(0, crcAt)), crcAt);
  return value;
}

function isSealed(value: Buffer, sizeBytes: number): boolean {
  const crcAt = sizeBytes - 4;
  return (
    value.byteLength === sizeBytes &&
    value[0] === VERSION &&
    value.readUInt32BE(crcAt) === crc32c(value.subarray(0, crcAt))
  );
}

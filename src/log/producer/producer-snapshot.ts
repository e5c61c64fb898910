import { CorruptionError, crc32c, type Offset, type ProducerId, type WallMs } from '../../base/index.ts';
import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../record/index.ts';
import {
  NOT_LOOKED_SINCE,
  type ProducerBatch,
  type ProducerState,
  ProducerStates,
} from './producer-states.ts';

/**
 * `<offset>.snapshot`: the producer states that the log gives up to that offset (exclusive).
 *
 *   version i16 = 1 | CRC-32C u32 of everything after it | count i32
 *   { producer id i64 | producer epoch i16 | last sequence i32 | last offset i64 | offset delta i32 | timestamp i64
 *   | coordinator epoch i32 | first offset of the open transaction i64, -1: none }*
 *
 * One entry per batch that is known of a producer, oldest first: a producer may have as many in flight, and repeats them all
 * after a restart. When it was heard of later than its timestamps say, an entry without a batch comes before them and tells
 * when. Kafka writes the last entry only, and of several entries of a producer reads the last one.
 * Source: Kafka's ProducerStateManager.
 */
const VERSION = 1;
const HEADER_BYTES = 10;
const CRC_AT = 2;
const CRC_START = 6;
const ENTRY_BYTES = 46;

export function encodeProducerSnapshot(states: ProducerStates): Uint8Array {
  let count = 0;
  for (const state of states.all()) count += entriesOf(state).length;
  const bytes = new Uint8Array(HEADER_BYTES + count * ENTRY_BYTES);
  writeInt16(bytes, 0, VERSION);
  writeInt32(bytes, CRC_START, count);
  let at = HEADER_BYTES;
  for (const state of states.all()) {
    for (const entry of entriesOf(state)) {
      encodeEntry(bytes, at, state, entry);
      at += ENTRY_BYTES;
    }
  }
  writeInt32(bytes, CRC_AT, crc32c(bytes.subarray(CRC_START)));
  return bytes;
}

const NO_BATCH = { lastSequence: -1, lastOffset: -1, offsetDelta: 0 };

type Entry = Omit<ProducerBatch, 'firstSequence'>;

function entriesOf({ batches, lastTimestampMs, heardMs }: ProducerState): Entry[] {
  const last = { ...(batches.at(-1) ?? NO_BATCH), timestampMs: lastTimestampMs };
  const entries = [...batches.slice(0, -1), last];
  const isHeardLater = heardMs > lastTimestampMs && heardMs !== NOT_LOOKED_SINCE;
  return isHeardLater ? [{ ...NO_BATCH, timestampMs: heardMs }, ...entries] : entries;
}

function encodeEntry(bytes: Uint8Array, at: number, state: ProducerState, entry: Entry): void {
  writeInt64(bytes, at, state.producerId);
  writeInt16(bytes, at + 8, state.producerEpoch);
  writeInt32(bytes, at + 10, entry.lastSequence);
  writeInt64(bytes, at + 14, entry.lastOffset);
  writeInt32(bytes, at + 22, entry.offsetDelta);
  writeInt64(bytes, at + 26, entry.timestampMs);
  writeInt32(bytes, at + 34, -1);
  writeInt64(bytes, at + 38, -1);
}

/** Throws CorruptionError; `file` is for its message. */
export function decodeProducerSnapshot(bytes: Uint8Array, file: string): ProducerStates {
  const states = new ProducerStates();
  for (const entry of decodeProducerEntries(bytes, file)) states.restore(toProducerState(entry));
  return states;
}

/** One entry of the file as it stands there. */
export interface ProducerSnapshotEntry {
  readonly producerId: ProducerId;
  readonly producerEpoch: number;
  /** -1: no batch of this epoch. */
  readonly lastSequence: number;
  readonly lastOffset: Offset;
  readonly offsetDelta: number;
  readonly timestampMs: WallMs;
  readonly coordinatorEpoch: number;
  /** -1: no open transaction. */
  readonly currentTxnFirstOffset: Offset;
}

/** The entries in the order of the file. Throws CorruptionError; `file` is for its message. */
export function decodeProducerEntries(bytes: Uint8Array, file: string): ProducerSnapshotEntry[] {
  if (bytes.length < HEADER_BYTES)
    throw new CorruptionError(file, 0, `at least ${HEADER_BYTES} bytes`, `${bytes.length}`);
  const version = readInt16(bytes, 0);
  if (version !== VERSION) throw new CorruptionError(file, 0, `version ${VERSION}`, `${version}`);
  const crc = crc32c(bytes.subarray(CRC_START));
  if (crc !== readUint32(bytes, CRC_AT))
    throw new CorruptionError(file, CRC_AT, `CRC ${readUint32(bytes, CRC_AT)}`, `${crc}`);
  const count = readInt32(bytes, CRC_START);
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES)
    throw new CorruptionError(file, CRC_START, `${count} entries`, `${bytes.length} bytes`);
  return Array.from({ length: count }, (_, index) => decodeEntry(bytes, HEADER_BYTES + index * ENTRY_BYTES));
}

function decodeEntry(bytes: Uint8Array, at: number): ProducerSnapshotEntry {
  return {
    producerId: readInt64(bytes, at),
    producerEpoch: readInt16(bytes, at + 8),
    lastSequence: readInt32(bytes, at + 10),
    lastOffset: readInt64(bytes, at + 14),
    offsetDelta: readInt32(bytes, at + 22),
    timestampMs: readInt64(bytes, at + 26),
    coordinatorEpoch: readInt32(bytes, at + 34),
    currentTxnFirstOffset: readInt64(bytes, at + 38),
  };
}

/** Of the batch of an entry. */
export function firstSequenceOf(entry: ProducerSnapshotEntry): number {
  return entry.lastSequence < 0 ? -1 : (entry.lastSequence - entry.offsetDelta + 2 ** 31) % 2 ** 31;
}

function toProducerState(entry: ProducerSnapshotEntry): ProducerState {
  const { producerId, producerEpoch, lastSequence, lastOffset, offsetDelta, timestampMs } = entry;
  const batch = { firstSequence: firstSequenceOf(entry), lastSequence, lastOffset, offsetDelta, timestampMs };
  return {
    producerId,
    producerEpoch,
    batches: lastSequence < 0 ? [] : [batch],
    lastTimestampMs: timestampMs,
    heardMs: timestampMs,
  };
}

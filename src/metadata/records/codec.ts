/**
 * Records to bytes and back: one payload of the metadata log is one MetadataBatch of records.proto.
 *
 * Equal records give equal bytes, which makes the encoding of an image its canonical form (see ../image/digest.ts).
 */
import protobuf from 'protobufjs/minimal.js';
import type { MetadataRecord, RecordKind } from './records.ts';
import { MalformedRecordError, type MessageType, type Reader, readEnd } from './schema.ts';
import { RECORD_NUMBERS, RECORD_TYPES, VERSION_MAX, VERSION_NUMBER } from './tables.ts';

const RECORDS_TAG = (1 << 3) | 2;
const KINDS_BY_NUMBER = new Map(
  Object.entries(RECORD_NUMBERS).map(([kind, number]) => [number, kind as RecordKind]),
);

/** The payload that holds `records` in their order. */
export function encodeRecords(records: readonly MetadataRecord[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const record of records) {
    writer.uint32(RECORDS_TAG).fork();
    writer.uint32((RECORD_NUMBERS[record.kind] << 3) | 2);
    typeOf(record.kind).write(writer, record);
    writer.ldelim();
  }
  return writer.finish();
}

/**
 * The records of a payload, in order. Throws {@link MalformedRecordError} on bytes that are no batch, a kind of record or a
 * version that this code does not know: skipping either would let two nodes believe different things.
 */
export function decodeRecords(bytes: Uint8Array): MetadataRecord[] {
  const reader = protobuf.Reader.create(bytes);
  const records: MetadataRecord[] = [];
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag !== RECORDS_TAG) throw new MalformedRecordError(`a batch has a field with tag ${tag}`);
      records.push(decodeRecord(reader, readEnd(reader)));
    }
  } catch (error) {
    if (error instanceof MalformedRecordError) throw error;
    throw new MalformedRecordError(`a batch of ${bytes.length} bytes: ${String(error)}`, { cause: error });
  }
  return records;
}

function decodeRecord(reader: Reader, end: number): MetadataRecord {
  let record: MetadataRecord | undefined;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    if (number === VERSION_NUMBER) {
      checkVersion(reader.uint32());
      continue;
    }
    const kind = KINDS_BY_NUMBER.get(number);
    if (kind === undefined || (tag & 7) !== 2)
      throw new MalformedRecordError(`unknown record type ${number - 1}`);
    if (record !== undefined)
      throw new MalformedRecordError(`two records, ${record.kind} and ${kind}, in one`);
    record = { ...typeOf(kind).read(reader), kind } as MetadataRecord;
  }
  if (record === undefined || reader.pos !== end) throw new MalformedRecordError('a record without a type');
  return record;
}

function checkVersion(version: number): void {
  if (version > VERSION_MAX)
    throw new MalformedRecordError(`a record has version ${version}; this node reads up to ${VERSION_MAX}`);
}

function typeOf(kind: RecordKind): MessageType<object> {
  return RECORD_TYPES[kind] as unknown as MessageType<object>;
}

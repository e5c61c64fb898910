/**
 * Protobuf messages as tables: one row per field, one encoder and one decoder for all.
 *
 * The rows say what records.proto says (a test compares them), with two refinements: ids are strings in memory and 16
 * bytes on disk, enumerations are words. A field of proto3 without presence is left out when it has its default, so equal
 * messages have equal bytes. Decoding reserves nothing by a length it has only been told.
 * Source: protobuf encoding guide (varint, zigzag, length-delimited, packed).
 */
import type protobuf from 'protobufjs/minimal.js';
import { uuidFromBytes, uuidToBytes, ZERO_UUID } from '../../base/index.ts';

export type Writer = protobuf.Writer;
export type Reader = protobuf.Reader;

/** How one value is written; values with a `wireType` of 0 are packed in lists. */
export interface ValueType<T> {
  /** The protobuf type's name. */
  readonly name: string;
  readonly wireType: 0 | 2;
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

/** A value with a meaning when absent; without `fallback` it must be there. */
export interface ScalarType<T> extends ValueType<T> {
  readonly fallback: T | undefined;
}

/** A message, also without the length in front of it. */
export interface MessageType<T> extends ValueType<T> {
  writeBody(writer: Writer, value: T): void;
  /** Reads up to `end`, an absolute position, and refuses a message that does not end there. */
  readBody(reader: Reader, end: number): T;
}

type Presence = 'implicit' | 'optional' | 'repeated' | 'optional-list';

export interface Field<T> {
  readonly number: number;
  readonly type: ValueType<T>;
  readonly presence: Presence;
  /** Message that wraps a list with presence. */
  readonly wrapper?: string;
  /** Of an implicit field. */
  readonly fallback?: T | undefined;
}

type FieldOf<V> = [V] extends [readonly (infer E)[]] ? Field<E> : Field<V>;

/** A row for every property of T but its tag; `name` is the message in records.proto. */
export interface Schema<T> {
  readonly name: string;
  readonly fields: { readonly [K in Exclude<keyof T & string, 'kind'>]-?: FieldOf<Exclude<T[K], undefined>> };
}

/** Bytes that are no message of ours. */
export class MalformedRecordError extends Error {
  override readonly name = 'MalformedRecordError';
}

const varint = <T>(
  name: string,
  fallback: T | undefined,
  write: (writer: Writer, value: T) => unknown,
  read: (reader: Reader) => T,
): ScalarType<T> => ({ name, wireType: 0, fallback, write, read });

export const SINT32 = varint<number>(
  'sint32',
  0,
  (writer, value) => writer.sint32(value),
  (reader) => reader.sint32(),
);
export const UINT32 = varint<number>(
  'uint32',
  0,
  (writer, value) => writer.uint32(value),
  (reader) => reader.uint32(),
);
export const BOOL = varint<boolean>(
  'bool',
  false,
  (writer, value) => writer.bool(value),
  (reader) => reader.bool(),
);
/** At most 2^53 - 1: a larger one is malformed. */
export const UINT64 = varint<number>(
  'uint64',
  0,
  (writer, value) => writer.uint64(value),
  (reader) => {
    const raw: unknown = reader.uint64();
    const value = typeof raw === 'number' ? raw : Number(String(raw));
    if (!Number.isSafeInteger(value)) throw new MalformedRecordError(`the number ${value} is above 2^53 - 1`);
    return value;
  },
);
export const STRING: ScalarType<string> = {
  name: 'string',
  wireType: 2,
  fallback: '',
  write: (writer, value) => writer.string(value),
  read: (reader) => reader.string(),
};
export const UUID: ScalarType<string> = {
  name: 'bytes',
  wireType: 2,
  fallback: ZERO_UUID,
  write: (writer, value) => writer.bytes(uuidToBytes(value)),
  read: (reader) => {
    const bytes = reader.bytes();
    if (bytes.length !== 16) throw new MalformedRecordError(`an id has ${bytes.length} bytes instead of 16`);
    return uuidFromBytes(bytes);
  },
};

/** Words for the numbers of the enumeration `name`; the word of 0, if there is one, is meant when absent. */
export function words<W extends string>(name: string, numbers: Readonly<Record<W, number>>): ScalarType<W> {
  const byNumber = new Map(Object.entries(numbers).map(([word, number]) => [number, word as W]));
  return varint<W>(
    name,
    byNumber.get(0),
    (writer, value) => writer.int32(numbers[value]),
    (reader) => {
      const number = reader.int32();
      const word = byNumber.get(number);
      if (word === undefined) throw new MalformedRecordError(`${name} has no value ${number}`);
      return word;
    },
  );
}

/** The message `schema` describes. */
export function message<T extends object>(schema: Schema<T>): MessageType<T> {
  const rows = Object.entries(schema.fields) as [string, Field<unknown>][];
  const byNumber = new Map(rows.map((row) => [row[1].number, row]));
  const writeBody = (writer: Writer, value: T): void => {
    for (const [name, field] of rows) encodeField(field, Reflect.get(value, name), writer);
  };
  const readBody = (reader: Reader, end: number): T => {
    const value: Record<string, unknown> = {};
    for (const [name, field] of rows) {
      if (field.presence === 'implicit') value[name] = field.fallback;
      else if (field.presence === 'repeated') value[name] = [];
    }
    while (reader.pos < end) {
      const tag = reader.uint32();
      const row = byNumber.get(tag >>> 3);
      if (row === undefined) reader.skipType(tag & 7);
      else value[row[0]] = decodeField(row[1], value[row[0]], tag & 7, reader);
    }
    expectEnd(reader, end);
    for (const [name, field] of rows) {
      if (field.presence === 'implicit' && value[name] === undefined)
        throw new MalformedRecordError(`${schema.name} has no ${name}`);
    }
    return value as T;
  };
  return {
    name: schema.name,
    wireType: 2,
    write: (writer, value) => {
      writeBody(writer.fork(), value);
      writer.ldelim();
    },
    read: (reader) => readBody(reader, readEnd(reader)),
    writeBody,
    readBody,
  };
}

export const implicit = <T>(number: number, type: ScalarType<T>): Field<T> => ({
  number,
  type,
  presence: 'implicit',
  fallback: type.fallback,
});
export const optional = <T>(number: number, type: ValueType<T>): Field<T> => ({
  number,
  type,
  presence: 'optional',
});
export const repeated = <T>(number: number, type: ValueType<T>): Field<T> => ({
  number,
  type,
  presence: 'repeated',
});
/** A list that may be absent: protobuf needs a message around it, whose field 1 is the list. */
export const optionalList = <T>(number: number, type: ValueType<T>, wrapper: string): Field<T> => ({
  number,
  type,
  presence: 'optional-list',
  wrapper,
});

function encodeField(field: Field<unknown>, value: unknown, writer: Writer): void {
  const { number, type, presence } = field;
  if (presence === 'repeated') {
    encodeList(number, type, value as readonly unknown[], writer);
  } else if (value === undefined) {
    // Absent, and that means something.
  } else if (presence === 'optional-list') {
    encodeList(1, type, value as readonly unknown[], writer.uint32((number << 3) | 2).fork());
    writer.ldelim();
  } else if (presence === 'optional' || value !== field.fallback) {
    type.write(writer.uint32((number << 3) | type.wireType), value);
  }
}

function encodeList(
  number: number,
  type: ValueType<unknown>,
  values: readonly unknown[],
  writer: Writer,
): void {
  if (values.length === 0) return;
  if (type.wireType === 0) {
    writer.uint32((number << 3) | 2).fork();
    for (const value of values) type.write(writer, value);
    writer.ldelim();
  } else {
    for (const value of values) type.write(writer.uint32((number << 3) | 2), value);
  }
}

function decodeField(field: Field<unknown>, current: unknown, wireType: number, reader: Reader): unknown {
  const { type, presence } = field;
  if (presence === 'repeated') return decodeElements(type, current as unknown[], wireType, reader);
  if (presence !== 'optional-list') {
    expectWireType(wireType, type.wireType);
    return type.read(reader);
  }
  expectWireType(wireType, 2);
  const end = readEnd(reader);
  const list: unknown[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) decodeElements(type, list, tag & 7, reader);
    else reader.skipType(tag & 7);
  }
  expectEnd(reader, end);
  return list;
}

/** Numbers come packed or, from other writers, one by one. */
function decodeElements(
  type: ValueType<unknown>,
  list: unknown[],
  wireType: number,
  reader: Reader,
): unknown[] {
  if (type.wireType === 0 && wireType === 2) {
    const end = readEnd(reader);
    while (reader.pos < end) list.push(type.read(reader));
    expectEnd(reader, end);
  } else {
    expectWireType(wireType, type.wireType);
    list.push(type.read(reader));
  }
  return list;
}

function expectWireType(found: number, expected: number): void {
  if (found !== expected)
    throw new MalformedRecordError(`a field has wire type ${found} instead of ${expected}`);
}

/** Reads the length that follows, refuses more than is there, and returns where it ends. */
export function readEnd(reader: Reader): number {
  const length = reader.uint32();
  if (length > reader.len - reader.pos)
    throw new MalformedRecordError(`a length of ${length} with ${reader.len - reader.pos} bytes left`);
  return reader.pos + length;
}

function expectEnd(reader: Reader, end: number): void {
  if (reader.pos !== end)
    throw new MalformedRecordError(`a field runs ${reader.pos - end} bytes past the end of its message`);
}

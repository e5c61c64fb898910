/**
 * Messages as tables of fields: one table encodes, decodes, and is compared with the .proto files by a test.
 *
 * A reader skips fields it does not know, so that newer peers may add some. Source: proto3 language guide.
 */
import { type Field, many, one } from './field.ts';
import { malformed, Reader, WIRE_BYTES } from './reader.ts';
import { type Type, text } from './type.ts';
import { varintSize, Writer } from './writer.ts';

/** A field for each property, optional ones included. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

export interface Message<T> extends Type<T> {
  readonly fields: ReadonlyMap<string, Field<unknown>>;
  /** Bytes of the encoded message. Throws ApiError INVALID_REQUEST when a value cannot be carried. */
  measure(value: T): number;
  /** Writes a message that was measured into `target` from `at` on. */
  encodeInto(value: T, sizeBytes: number, target: Buffer, at: number): void;
  /** The message as one buffer of its own. Throws as `measure`. */
  encode(value: T): Buffer;
  /**
   * `value`'s byte fields are views of `bytes`. Throws ApiError INVALID_REQUEST when `bytes` are no such
   * message.
   */
  decode(bytes: Buffer, elementsMax: number): T;
}

type Row = readonly [property: string, field: Field<unknown>];
type Properties = Record<string, unknown>;

export function message<T extends object>(proto: string, fields: Fields<T>): Message<T> {
  const rows = (Object.entries(fields) as [string, Field<unknown>][]).sort(
    (a, b) => a[1].number - b[1].number,
  );
  const byNumber: (Row | undefined)[] = [];
  for (const row of rows) byNumber[row[1].number] = row;

  const bodySize = (value: T): number => {
    let size = 0;
    for (const [property, field] of rows) size += field.size((value as Properties)[property]);
    return size;
  };
  const writeBody = (writer: Writer, value: T): void => {
    for (let i = rows.length - 1; i >= 0; i--) {
      const [property, field] = rows[i] as Row;
      field.write(writer, (value as Properties)[property]);
    }
  };
  const readBody = (reader: Reader): T => {
    const value: Properties = {};
    for (const [property, field] of rows) {
      const initial = field.initial();
      if (initial !== undefined) value[property] = initial;
    }
    while (reader.position < reader.end) {
      const tag = reader.int32() >>> 0;
      const row = byNumber[tag >>> 3];
      if (row !== undefined) value[row[0]] = row[1].read(reader, tag & 7, value[row[0]]);
      else if (tag >>> 3 === 0) throw malformed('field number 0');
      else reader.skip(tag & 7);
    }
    for (const [property, field] of rows)
      if (field.required && value[property] === undefined) throw malformed(`${proto} without ${property}`);
    return value as T;
  };

  return {
    proto,
    wire: WIRE_BYTES,
    fields: new Map(rows),
    isZero: () => false,
    size(value) {
      const size = bodySize(value);
      return size + varintSize(size);
    },
    write(writer, value) {
      const end = writer.position;
      writeBody(writer, value);
      writer.varint(end - writer.position);
    },
    read(reader) {
      const length = reader.length();
      const outer = reader.end;
      reader.end = reader.position + length;
      const value = readBody(reader);
      reader.end = outer;
      return value;
    },
    measure: bodySize,
    encodeInto: (value, sizeBytes, target, at) => writeBody(new Writer(target, at + sizeBytes), value),
    encode(value) {
      const size = bodySize(value);
      const bytes = Buffer.allocUnsafe(size);
      writeBody(new Writer(bytes, size), value);
      return bytes;
    },
    decode: (bytes, elementsMax) => readBody(new Reader(bytes, elementsMax)),
  };
}

/** `inner` on the wire, another shape in the api. */
export function mapped<Api, Wire>(
  inner: Message<Wire>,
  to: (api: Api) => Wire,
  from: (wire: Wire) => Api,
): Message<Api> {
  return {
    proto: inner.proto,
    wire: inner.wire,
    fields: inner.fields,
    isZero: () => false,
    size: (value) => inner.size(to(value)),
    write: (writer, value) => inner.write(writer, to(value)),
    read: (reader) => from(inner.read(reader)),
    measure: (value) => inner.measure(to(value)),
    encodeInto: (value, sizeBytes, target, at) => inner.encodeInto(to(value), sizeBytes, target, at),
    encode: (value) => inner.encode(to(value)),
    decode: (bytes, elementsMax) => from(inner.decode(bytes, elementsMax)),
  };
}

interface Pair {
  readonly key: string;
  readonly value: string;
}

const pair = message<Pair>('map entry', { key: one(1, text), value: one(2, text) });

/** `map<string, string>`: a list of pairs on the wire, the last of equal keys wins. */
export function textMap(number: number): Field<Readonly<Record<string, string>>> {
  const pairs = many(number, pair);
  const toPairs = (map: Readonly<Record<string, string>>): Pair[] =>
    Object.entries(map).map(([key, value]) => ({ key, value }));
  return {
    number,
    proto: 'map<string, string>',
    of: text as Type<unknown>,
    required: false,
    initial: () => ({}),
    size: (map) => pairs.size(toPairs(map)),
    write: (writer, map) => pairs.write(writer, toPairs(map)),
    read(reader, wire, before) {
      const [entry] = pairs.read(reader, wire, undefined);
      return entry === undefined ? (before ?? {}) : { ...before, [entry.key]: entry.value };
    },
  };
}

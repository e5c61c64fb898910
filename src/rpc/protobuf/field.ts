/**
 * How a property of an api type becomes a field of a message: once, perhaps, many times, or with a default.
 *
 * `size` and `write` include tags. `read` gets what an earlier occurrence left (protobuf lets fields
 * repeat: lists grow, the last of the others wins) and gives what the property shall hold. `initial` is the
 * property's value while the field has not been seen; undefined: the property stays absent, or must come
 * when `required`.
 */
import { malformed, type Reader, WIRE_BYTES } from './reader.ts';
import type { Type } from './type.ts';
import { varintSize, type Writer } from './writer.ts';

export interface Field<T> {
  readonly number: number;
  /** As in the .proto files: `repeated int32`, `optional string`, `map<string, string>`. */
  readonly proto: string;
  /** Of one value, or of one element. */
  readonly of: Type<unknown>;
  readonly required: boolean;
  initial(): T | undefined;
  size(value: T): number;
  write(writer: Writer, value: T): void;
  read(reader: Reader, wire: number, before: T | undefined): T;
}

function assertWire(actual: number, expected: number): void {
  if (actual !== expected) throw malformed(`wire type ${actual} where ${expected} is expected`);
}

/** Plain proto3: left out when zero. A message field is always written and must come. */
export function one<T>(number: number, type: Type<T>): Field<T> {
  const tag = (number << 3) | type.wire;
  const tagSize = varintSize(tag);
  return {
    number,
    proto: type.proto,
    of: type as Type<unknown>,
    required: type.zero === undefined,
    initial: () => type.zero,
    size: (value) => (type.isZero(value) ? 0 : tagSize + type.size(value)),
    write(writer, value) {
      if (type.isZero(value)) return;
      type.write(writer, value);
      writer.varint(tag);
    },
    read(reader, wire) {
      assertWire(wire, type.wire);
      return type.read(reader);
    },
  };
}

/** Zero on the wire, or nothing, stands for `value`: for requests of clients that leave a field unset. */
export function zeroMeans<T>(number: number, type: Type<T>, value: T): Field<T> {
  const plain = one(number, type);
  const orDefault = (read: T): T => (type.isZero(read) ? value : read);
  return {
    ...plain,
    initial: () => value,
    read: (reader, wire, before) => orDefault(plain.read(reader, wire, before)),
  };
}

/** Absent on the wire stands for an absent property. */
export function optional<T>(number: number, type: Type<T>): Field<T | undefined> {
  const tag = (number << 3) | type.wire;
  const tagSize = varintSize(tag);
  return {
    number,
    proto: `optional ${type.proto}`,
    of: type as Type<unknown>,
    required: false,
    initial: () => undefined,
    size: (value) => (value === undefined ? 0 : tagSize + type.size(value)),
    write(writer, value) {
      if (value === undefined) return;
      type.write(writer, value);
      writer.varint(tag);
    },
    read(reader, wire) {
      assertWire(wire, type.wire);
      return type.read(reader);
    },
  };
}

/** Absent on the wire stands for `value`; zero is itself. */
export function absentMeans<T>(number: number, type: Type<T>, value: T): Field<T> {
  const field = optional(number, type) as Field<T>;
  return { ...field, initial: () => value };
}

/** Numbers are packed, and read packed or not. */
export function many<T>(number: number, type: Type<T>): Field<readonly T[]> {
  return type.wire === WIRE_BYTES ? manyMessages(number, type) : manyNumbers(number, type);
}

const NOTHING: readonly never[] = [];

function manyMessages<T>(number: number, type: Type<T>): Field<readonly T[]> {
  const tag = (number << 3) | WIRE_BYTES;
  const tagSize = varintSize(tag);
  return {
    number,
    proto: `repeated ${type.proto}`,
    of: type as Type<unknown>,
    required: false,
    initial: () => NOTHING,
    size(values) {
      let size = values.length * tagSize;
      for (const value of values) size += type.size(value);
      return size;
    },
    write(writer, values) {
      for (let i = values.length - 1; i >= 0; i--) {
        type.write(writer, values[i] as T);
        writer.varint(tag);
      }
    },
    read(reader, wire, before) {
      assertWire(wire, WIRE_BYTES);
      reader.countElement();
      const value = type.read(reader);
      return push(before, value);
    },
  };
}

function push<T>(before: readonly T[] | undefined, value: T): readonly T[] {
  if (before === undefined || before === NOTHING) return [value];
  (before as T[]).push(value);
  return before;
}

function manyNumbers<T>(number: number, type: Type<T>): Field<readonly T[]> {
  const tag = (number << 3) | WIRE_BYTES;
  const tagSize = varintSize(tag);
  const payload = (values: readonly T[]): number => {
    let size = 0;
    for (const value of values) size += type.size(value);
    return size;
  };
  return {
    number,
    proto: `repeated ${type.proto}`,
    of: type as Type<unknown>,
    required: false,
    initial: () => NOTHING,
    size(values) {
      if (values.length === 0) return 0;
      const size = payload(values);
      return tagSize + varintSize(size) + size;
    },
    write(writer, values) {
      if (values.length === 0) return;
      const end = writer.position;
      for (let i = values.length - 1; i >= 0; i--) type.write(writer, values[i] as T);
      writer.varint(end - writer.position);
      writer.varint(tag);
    },
    read(reader, wire, before) {
      if (wire === type.wire) {
        reader.countElement();
        return push(before, type.read(reader));
      }
      assertWire(wire, WIRE_BYTES);
      const length = reader.length();
      const end = reader.position + length;
      let values = before;
      while (reader.position < end) {
        reader.countElement();
        values = push(values, type.read(reader));
      }
      if (reader.position !== end) throw malformed('a packed list ends inside a number');
      return values ?? NOTHING;
    },
  };
}

/**
 * What a field can hold: how large a value is, how it is written, how it is read.
 *
 * `size` and `write` include the length that stands before bytes, text and messages, not the field's tag.
 * `zero` is the value that proto3 leaves out and that a reader finds in a missing field; a type without
 * `zero` (a message) must come, or stand in an optional field. `proto` names the type in the .proto files;
 * a test compares both.
 */
import { ERRORS, type ErrorCode, type ErrorName, errorNameOf, errorNumber } from '../../base/index.ts';
import { malformed, type Reader, WIRE_BYTES, WIRE_VARINT, type WireType } from './reader.ts';
import { assertInt32, assertInt64, varintSize, type Writer } from './writer.ts';

export interface Type<T> {
  readonly wire: WireType;
  readonly proto: string;
  readonly zero?: T;
  /** Of an enum: every value and its number in the .proto files. */
  readonly numbers?: ReadonlyMap<T, number>;
  isZero(value: T): boolean;
  size(value: T): number;
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

export const int32: Type<number> = {
  wire: WIRE_VARINT,
  proto: 'int32',
  zero: 0,
  isZero: (value) => value === 0,
  size(value) {
    assertInt32(value);
    return varintSize(value);
  },
  write: (writer, value) => writer.varint(value),
  read: (reader) => reader.int32(),
};

/** Within 2^53 - 1 either way. */
export const int64: Type<number> = {
  wire: WIRE_VARINT,
  proto: 'int64',
  zero: 0,
  isZero: (value) => value === 0,
  size(value) {
    assertInt64(value);
    return varintSize(value);
  },
  write: (writer, value) => writer.varint(value),
  read: (reader) => reader.int64(),
};

export const bool: Type<boolean> = {
  wire: WIRE_VARINT,
  proto: 'bool',
  zero: false,
  isZero: (value) => !value,
  size: () => 1,
  write: (writer, value) => writer.varint(value ? 1 : 0),
  read: (reader) => reader.int32() !== 0,
};

export const text: Type<string> = {
  wire: WIRE_BYTES,
  proto: 'string',
  zero: '',
  isZero: (value) => value === '',
  size(value) {
    const size = Buffer.byteLength(value);
    return size + varintSize(size);
  },
  write(writer, value) {
    const size = Buffer.byteLength(value);
    writer.text(value, size);
    writer.varint(size);
  },
  read: (reader) => reader.text(),
};

const NO_BYTES: Uint8Array = Buffer.alloc(0);

/** Read as a view of the received message. */
export const bytes: Type<Uint8Array> = {
  wire: WIRE_BYTES,
  proto: 'bytes',
  zero: NO_BYTES,
  isZero: (value) => value.length === 0,
  size: (value) => value.length + varintSize(value.length),
  write(writer, value) {
    writer.raw(value);
    writer.varint(value.length);
  },
  read: (reader) => reader.view(),
};

/** Words (or numbers) of the api for the values of the enum `proto`. An unknown value is refused. */
export function words<T extends string | number>(proto: string, numbers: ReadonlyMap<T, number>): Type<T> {
  const byNumber = new Map([...numbers].map(([word, number]) => [number, word]));
  const numberOf = (word: T): number => {
    const number = numbers.get(word);
    if (number === undefined) throw malformed(`${proto} has no "${word}"`);
    return number;
  };
  const wordOf = (number: number): T => {
    const word = byNumber.get(number);
    if (word === undefined) throw malformed(`${proto} has no value ${number}`);
    return word;
  };
  return {
    wire: WIRE_VARINT,
    proto,
    zero: wordOf(0),
    numbers,
    isZero: (word) => numbers.get(word) === 0,
    size: (word) => varintSize(numberOf(word)),
    write: (writer, word) => writer.varint(numberOf(word)),
    read: (reader) => wordOf(reader.int32()),
  };
}

const ERROR_NUMBERS = new Map<ErrorCode, number>([
  ['NONE', 0],
  ...(Object.keys(ERRORS) as ErrorName[]).map((name) => [name, errorNumber(name)] as const),
]);

/** A number we do not know is UNKNOWN_SERVER_ERROR. */
export const errorCode: Type<ErrorCode> = {
  wire: WIRE_VARINT,
  proto: 'ErrorCode',
  zero: 'NONE',
  numbers: ERROR_NUMBERS,
  isZero: (value) => value === 'NONE',
  size: (value) => varintSize(errorNumber(value)),
  write: (writer, value) => writer.varint(errorNumber(value)),
  read: (reader) => errorNameOf(reader.int32()),
};

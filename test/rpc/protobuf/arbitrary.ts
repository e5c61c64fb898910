/**
 * Random messages for a table of fields: every value the api can hold, edges of the number ranges included.
 */
import fc from 'fast-check';
import type { Field } from '../../../src/rpc/protobuf/field.ts';
import type { Message } from '../../../src/rpc/protobuf/message.ts';
import type { Type } from '../../../src/rpc/protobuf/type.ts';

const INT32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)));
const INT64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -1,
    127,
    128,
    16383,
    16384,
    2 ** 32,
    2 ** 35 - 1,
    2 ** 35,
    2 ** 49,
    2 ** 53 - 1,
    1 - 2 ** 53,
  ),
);
const BYTES = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
// A lone surrogate cannot be carried as UTF-8.
const TEXT = fc.string({ unit: 'grapheme', maxLength: 12 });

/** Messages whose api shape is not their table's. */
const MAPPED: Record<string, fc.Arbitrary<unknown>> = {
  MetadataRequest: fc.oneof(fc.constant({}), fc.record({ topics: fc.array(fc.string({ minLength: 1 })) })),
  ReplicaAssignment: fc.array(INT32, { maxLength: 3 }),
};

function value(type: Type<unknown>): fc.Arbitrary<unknown> {
  if (type.numbers !== undefined) return fc.constantFrom(...type.numbers.keys());
  if ('fields' in type) return anyMessage(type as unknown as Message<unknown>);
  if (type.proto === 'int32') return INT32;
  if (type.proto === 'int64') return INT64;
  if (type.proto === 'bool') return fc.boolean();
  if (type.proto === 'string') return TEXT;
  if (type.proto === 'bytes') return BYTES;
  throw new Error(`no arbitrary for ${type.proto}`);
}

function property(field: Field<unknown>): fc.Arbitrary<unknown> {
  if (field.proto.startsWith('repeated')) return fc.array(value(field.of), { maxLength: 3 });
  if (field.proto.startsWith('map')) return fc.dictionary(TEXT, TEXT, { maxKeys: 3, noNullPrototype: true });
  const one = value(field.of);
  // Zero, where it stands for something else, cannot be said.
  const zeroIsSaid = field.proto.startsWith('optional') || field.initial() === field.of.zero;
  return zeroIsSaid || field.of.zero === undefined ? one : one.filter((v) => v !== field.of.zero);
}

export function anyMessage(message: Message<unknown>): fc.Arbitrary<unknown> {
  const mapped = MAPPED[message.proto];
  if (mapped !== undefined) return mapped;
  const properties: Record<string, fc.Arbitrary<unknown>> = {};
  const required: string[] = [];
  for (const [name, field] of message.fields) {
    properties[name] = property(field);
    if (!field.proto.startsWith('optional') || field.initial() !== undefined) required.push(name);
  }
  return fc.record(properties, { requiredKeys: required, noNullPrototype: true });
}

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { uuidFromBytes, uuidToBytes, ZERO_UUID } from '../../../src/base/index.ts';
import {
  decodeRecords,
  encodeRecords,
  MalformedRecordError,
  type MetadataRecord,
} from '../../../src/metadata/index.ts';
import type { Field, Schema } from '../../../src/metadata/records/schema.ts';
import { RECORD_NUMBERS, RECORD_SCHEMAS } from '../../../src/metadata/records/tables.ts';
import { anyRecord } from '../arbitraries.ts';

const proto = readFileSync(new URL('../../../proto/quorate/v1/records.proto', import.meta.url), 'utf8');
const root = protobuf.parse(proto, { keepCase: false }).root;
const Batch = root.lookupType('quorate.v1.MetadataBatch');

/** The value as protobufjs wants it: ids as bytes, words as the names of the .proto. */
function toProto(value: unknown, field: Field<unknown>): unknown {
  if (field.presence === 'optional-list')
    return { ids: (value as unknown[]).map((element) => scalarToProto(element, field)) };
  return field.presence === 'repeated'
    ? (value as unknown[]).map((element) => scalarToProto(element, field))
    : scalarToProto(value, field);
}

function scalarToProto(value: unknown, field: Field<unknown>): unknown {
  const { name } = field.type;
  if (name === 'bytes') return uuidToBytes(value as string);
  if (name === 'BrokerListenerRecord')
    return { ...(value as object), name: enumName('ListenerName', (value as { name: string }).name) };
  const known = root.lookup(name, [protobuf.Enum]);
  return known === null ? value : enumName(name, value as string);
}

function enumName(name: string, word: string): string {
  const snake = (text: string) => text.replaceAll('-', '_').toUpperCase();
  return `${snake(name.replace(/(?!^)[A-Z]/g, '_$&'))}_${snake(word)}`;
}

function camel(kind: string): string {
  return kind.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function recordToProto({ kind, ...record }: MetadataRecord): object {
  const fields = RECORD_SCHEMAS[kind].fields as unknown as Record<string, Field<unknown>>;
  const body = Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, toProto(value, fields[name]!)]),
  );
  return { [camel(kind)]: body };
}

describe('the tables of the records', () => {
  it.each(Object.entries(RECORD_SCHEMAS))('say for %s what records.proto says', (kind, schema) => {
    const type = root.lookupType(`quorate.v1.${schema.name}`);
    const fields = Object.entries((schema as Schema<object>).fields) as [string, Field<unknown>][];
    expect(Object.fromEntries(fields.map(([name, field]) => [name, field.number]))).toEqual(
      Object.fromEntries(type.fieldsArray.map((field) => [field.name, field.id])),
    );
    for (const [name, field] of fields) {
      const declared = type.fields[name]!;
      expect({ name, type: declared.type }).toEqual({ name, type: field.wrapper ?? field.type.name });
      expect(declared.repeated).toBe(field.presence === 'repeated');
      const hasPresence = declared.options?.proto3_optional === true;
      expect(hasPresence).toBe(field.presence === 'optional' || field.presence === 'optional-list');
    }
    const Record = root.lookupType('quorate.v1.MetadataRecord');
    expect(Record.fields[camel(kind)]).toMatchObject({
      id: RECORD_NUMBERS[kind as MetadataRecord['kind']],
      type: schema.name,
    });
  });

  it('leave no record of the .proto out', () => {
    const { oneofs } = root.lookupType('quorate.v1.MetadataRecord');
    expect(oneofs.record!.oneof).toHaveLength(Object.keys(RECORD_SCHEMAS).length);
  });
});

describe('the codec of records', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 5 }), (records) => {
        expect(decodeRecords(encodeRecords(records))).toEqual(records);
      }),
    );
  });

  it('is read and written by any protobuf library', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 4 }), (records) => {
        const message = Batch.fromObject({ records: records.map(recordToProto) });
        const theirs = Batch.encode(message).finish();
        expect(decodeRecords(theirs)).toEqual(records);
        const options = { longs: Number, enums: String, bytes: Array, defaults: true } as const;
        expect(Batch.toObject(Batch.decode(encodeRecords(records)), options)).toEqual(
          Batch.toObject(Batch.decode(theirs), options),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('never changes a byte of what is on disk', () => {
    const id = uuidFromBytes(Uint8Array.from({ length: 16 }, (_, i) => i + 1));
    const lines = golden(id).map((record) => `${record.kind} ${hexOf(encodeRecords([record]))}`);
    expect(lines).toMatchSnapshot();
  });

  it('refuses an unknown type of record', () => {
    expect(() => decodeRecords(Uint8Array.of(0x0a, 3, 0xfa, 0x01, 0))).toThrow(/unknown record type 30/);
  });

  it('refuses a newer version of a known record', () => {
    const noOp = [0xaa, 0x01, 0];
    expect(decodeRecords(Uint8Array.of(0x0a, 6, ...noOp, 0xa0, 0x06, 0))).toEqual([{ kind: 'no-op' }]);
    expect(() => decodeRecords(Uint8Array.of(0x0a, 6, ...noOp, 0xa0, 0x06, 1))).toThrow(/version 1/);
  });

  it('refuses a number above 2^53 - 1', () => {
    const bytes = [0x0a, 13, 0x12, 11, 0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
    expect(() => decodeRecords(Uint8Array.from(bytes))).toThrow(/above 2\^53 - 1/);
  });

  it('refuses a word that has no meaning', () => {
    expect(() => decodeRecords(Uint8Array.of(0x0a, 4, 0x2a, 2, 0x08, 3))).toThrow(/ConfigResourceType/);
    expect(() => decodeRecords(Uint8Array.of(0x0a, 2, 0x2a, 0))).toThrow(/no resourceType/);
  });

  it('only ever fails as malformed, on any cut and any flipped byte', () => {
    const id = uuidFromBytes(Uint8Array.from({ length: 16 }, (_, i) => i + 1));
    const bytes = encodeRecords(golden(id));
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0xff;
      for (const damaged of [bytes.subarray(0, at), flipped]) {
        try {
          decodeRecords(damaged);
        } catch (error) {
          expect((error as Error).name).toBe('MalformedRecordError');
        }
      }
    }
  });

  it('does not believe a length that is longer than the bytes', () => {
    expect(() => decodeRecords(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x07))).toThrow(
      MalformedRecordError,
    );
  });
});

function golden(id: string): MetadataRecord[] {
  return [
    {
      kind: 'register-broker',
      brokerId: 7,
      incarnationId: id,
      brokerEpoch: 300,
      listeners: [
        { name: 'client', host: 'a', port: 9092 },
        { name: 'replica', host: 'b', port: 1 },
      ],
      features: [{ name: 'metadata.version', min: 1, max: 2 }],
      rack: '',
      fenced: true,
      inControlledShutdown: true,
      logDirs: [id],
    },
    { kind: 'unregister-broker', brokerId: 7, brokerEpoch: Number.MAX_SAFE_INTEGER },
    { kind: 'topic', name: 'lines', topicId: id },
    {
      kind: 'partition',
      partitionId: 2,
      topicId: id,
      replicas: [1, 2, 300],
      isr: [1],
      removingReplicas: [300],
      addingReplicas: [2],
      leader: -1,
      leaderRecoveryState: 'recovering',
      leaderEpoch: 5,
      partitionEpoch: 6,
      directories: [id, ZERO_UUID, id],
    },
    { kind: 'config', resourceType: 'topic', resourceName: 'lines', name: 'retention.ms', value: '' },
    { kind: 'config', resourceType: 'broker', resourceName: '', name: 'min.insync.replicas' },
    { kind: 'partition-change', partitionId: 0, topicId: id },
    {
      kind: 'partition-change',
      partitionId: 1,
      topicId: id,
      isr: [2, 1],
      leader: 2,
      replicas: [1, 2],
      removingReplicas: [],
      addingReplicas: [],
      leaderRecoveryState: 'recovered',
      directories: [id, id],
    },
    { kind: 'remove-topic', topicId: id },
    { kind: 'feature-level', name: 'metadata.version', featureLevel: 1 },
    { kind: 'producer-ids', brokerId: 1, brokerEpoch: 12, nextProducerId: 1000 },
    {
      kind: 'broker-registration-change',
      brokerId: 1,
      brokerEpoch: 12,
      fenced: 'unfence',
      inControlledShutdown: 'in-controlled-shutdown',
      logDirs: [],
    },
    { kind: 'no-op' },
  ];
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

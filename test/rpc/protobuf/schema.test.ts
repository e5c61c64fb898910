import { readdirSync, readFileSync } from 'node:fs';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../../src/base/index.ts';
import { PROTO_DIRECTORY } from '../../../src/rpc/grpc/index.ts';
import { PUBLIC_FILES } from '../../../src/rpc/grpc/schema.ts';
import type { Message } from '../../../src/rpc/protobuf/message.ts';
import { type AnyMethod, methodsOf, SERVICES, type ServiceKey } from '../../../src/rpc/protobuf/services.ts';
import type { Type } from '../../../src/rpc/protobuf/type.ts';
import { anyMessage } from './arbitrary.ts';

const INTERNAL_FILES = ['replica', 'controller', 'quorum'].map((name) => `quorate/v1/${name}.proto`);
const FILES = [...PUBLIC_FILES, ...INTERNAL_FILES];
const loaded = loadSync(FILES, {
  includeDirs: [PROTO_DIRECTORY],
  longs: Number,
  bytes: Buffer,
  enums: String,
});
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => `${PROTO_DIRECTORY}/${target}`;
root.loadSync(FILES, { keepCase: true }).resolveAll();
const contract = root.lookup('quorate.v1') as protobuf.Namespace;

const KEYS = Object.keys(SERVICES) as ServiceKey[];
const METHODS: AnyMethod[] = KEYS.flatMap((key) => methodsOf(key).map(([, method]) => method));

/** Every table that the services reach, by its name in the .proto files. */
function reachable(): Map<string, Message<unknown>> {
  const found = new Map<string, Message<unknown>>();
  const visit = (type: Type<unknown>): void => {
    if (!('fields' in type) || found.get(type.proto) === type) return;
    const message = type as unknown as Message<unknown>;
    expect(found.has(message.proto), `two tables for ${message.proto}`).toBe(false);
    found.set(message.proto, message);
    for (const field of message.fields.values()) visit(field.of);
  };
  for (const { request, reply } of METHODS) {
    visit(request as Type<unknown>);
    visit(reply as Type<unknown>);
  }
  return found;
}

const TABLES = reachable();

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function protoOf(field: protobuf.Field): string {
  if (field instanceof protobuf.MapField) return `map<${field.keyType}, ${field.type}>`;
  if (field.repeated) return `repeated ${field.type}`;
  return field.partOf === null ? field.type : `optional ${field.type}`;
}

describe('the tables of messages', () => {
  it('have the methods of the .proto files, with their messages and streams', () => {
    const ours = METHODS.map(({ path, request, reply, kind }) => [path, request.proto, reply.proto, kind]);
    const theirs = KEYS.flatMap((key) => {
      const service = contract.lookupService(SERVICES[key].name);
      return service.methodsArray.map((method) => [
        `/${SERVICES[key].name}/${method.name}`,
        method.requestType,
        method.responseType,
        method.requestStream && method.responseStream ? 'duplex' : 'unary',
      ]);
    });
    expect(ours.sort()).toEqual(theirs.sort());
  });

  it('have the fields of the .proto files, with their numbers and types', () => {
    for (const [name, table] of TABLES) {
      const ours = [...table.fields].map(
        ([property, field]) => `${field.proto} ${snake(property)} = ${field.number}`,
      );
      const theirs = contract
        .lookupType(name)
        .fieldsArray.map((field) => `${protoOf(field)} ${field.name} = ${field.id}`);
      expect(ours.sort(), name).toEqual(theirs.sort());
    }
  });

  it('stand in files that can be compiled together, as whoever generates a stub does', () => {
    const all = readdirSync(`${PROTO_DIRECTORY}/quorate/v1`).map((file) => `quorate/v1/${file}`);
    expect(all.length).toBeGreaterThan(FILES.length);
    const together = new protobuf.Root();
    together.resolvePath = root.resolvePath;
    together.loadSync(all).resolveAll();
    // Values of enums live beside their enum (C++ scoping), so they must differ across all of them.
    const values = new Map<string, string>();
    for (const nested of (together.lookup('quorate.v1') as protobuf.Namespace).nestedArray) {
      if (!(nested instanceof protobuf.Enum)) continue;
      for (const value of Object.keys(nested.values)) {
        expect(values.get(value), value).toBeUndefined();
        values.set(value, nested.name);
      }
    }
  });

  it('leave no message of the .proto files out', () => {
    const ofFiles = contract.nestedArray
      .filter((nested) => nested instanceof protobuf.Type)
      .map(({ name }) => name);
    expect(ofFiles.sort()).toEqual([...TABLES.keys()].sort());
  });

  it('have the values of the enums', () => {
    const enums = new Map<string, ReadonlyMap<unknown, number>>();
    for (const table of TABLES.values())
      for (const { of } of table.fields.values())
        if (of.numbers !== undefined) enums.set(of.proto, of.numbers);
    const ofFiles = contract.nestedArray.filter((nested) => nested instanceof protobuf.Enum);
    expect([...enums.keys()].sort()).toEqual(ofFiles.map(({ name }) => name).sort());
    for (const { name, values } of ofFiles as protobuf.Enum[])
      expect([...(enums.get(name)?.values() ?? [])].sort(), name).toEqual(Object.values(values).sort());
  });

  it('name words as the .proto files do', () => {
    for (const table of TABLES.values())
      for (const { of } of table.fields.values()) {
        if (of.numbers === undefined || of.proto === 'ErrorCode' || of.proto === 'Acks') continue;
        for (const [word, number] of of.numbers) {
          const prefix = snake(of.proto).slice(1).toUpperCase();
          expect(contract.lookupEnum(of.proto).valuesById[number]).toBe(
            `${prefix}_${String(word).toUpperCase()}`,
          );
        }
      }
  });
});

describe('the error codes of the contract', () => {
  it('are the names and numbers of the error table, in both directions', () => {
    const ours = {
      NONE: 0,
      ...Object.fromEntries(Object.entries(ERRORS).map(([name, { code }]) => [name, code])),
    };
    expect(contract.lookupEnum('ErrorCode').values).toEqual(ours);
  });

  it('say in their comments what the error table says', () => {
    const source = readFileSync(`${PROTO_DIRECTORY}/quorate/v1/common.proto`, 'utf8');
    for (const [name, { text, retriable, definite }] of Object.entries(ERRORS)) {
      const comment = new RegExp(`// (.*)\\n {2}${name} = `).exec(source)?.[1];
      const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
      expect(comment).toBe(
        `${sentence}${retriable ? ' Retriable.' : ''}${definite ? '' : ' Outcome unknown.'}`,
      );
    }
  });
});

describe('a message', () => {
  const codecOf = (name: string) => {
    for (const service of KEYS.map((key) => loaded[SERVICES[key].name] ?? {}))
      for (const method of Object.values(service) as unknown as {
        requestType: MessageTypeDefinition<object, object>;
        responseType: MessageTypeDefinition<object, object>;
        requestSerialize(value: object): Buffer;
        requestDeserialize(bytes: Buffer): object;
        responseSerialize(value: object): Buffer;
        responseDeserialize(bytes: Buffer): object;
      }[]) {
        const { requestType, responseType } = method;
        if ((requestType.type as { name: string }).name === name)
          return { serialize: method.requestSerialize, deserialize: method.requestDeserialize };
        if ((responseType.type as { name: string }).name === name)
          return { serialize: method.responseSerialize, deserialize: method.responseDeserialize };
      }
    throw new Error(`no method has ${name}`);
  };
  const messages = new Map(
    METHODS.flatMap(({ request, reply }) => [request, reply].map((m) => [m.proto, m])),
  );

  for (const [name, table] of messages) {
    it(`${name} is what proto-loader reads and writes by the .proto files`, () => {
      const theirs = codecOf(name);
      fc.assert(
        fc.property(anyMessage(table), (message) => {
          const bytes = table.encode(message);
          expect(table.decode(bytes, 10_000)).toEqual(message);
          const again = theirs.serialize(theirs.deserialize(bytes));
          expect(table.decode(again, 10_000)).toEqual(message);
        }),
        { numRuns: 60 },
      );
    });
  }
});

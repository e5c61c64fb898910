/**
 * What @grpc/reflection would add to a server, for reflection.ts to call.
 *
 * protobufjs describes a map's hidden entry type as `Configs` where the format wants `ConfigsEntry`, and strict readers
 * (Go's protobuf, hence grpcurl) refuse the whole file for it. Mended here before the reflection service gets to see it.
 */
import type {
  Server,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as HEALTH_FILE } from 'grpc-health-check';
import descriptor, {
  type IDescriptorProto,
  type IFileDescriptorProto,
} from 'protobufjs/ext/descriptor/index.js';
import { loadSchema, PUBLIC_FILES } from './schema.ts';

const HEALTH = 'grpc.health.v1.Health';

export interface ReflectionHandler {
  readonly definition: ServiceDefinition[string];
  readonly call: UntypedHandleCall;
}

let definition: PackageDefinition | undefined;

/** By the path of the method. */
export function reflectionHandlers(services: readonly string[]): ReadonlyMap<string, ReflectionHandler> {
  definition ??= mended(loadSchema([...PUBLIC_FILES, HEALTH_FILE]));
  const handlers = new Map<string, ReflectionHandler>();
  const recorder = {
    addService(service: ServiceDefinition, calls: UntypedServiceImplementation) {
      for (const [name, method] of Object.entries(service)) {
        const call = calls[name];
        if (call !== undefined) handlers.set(method.path, { definition: method, call });
      }
    },
  };
  new ReflectionService(definition, { services: [...services, HEALTH] }).addToServer(
    recorder as unknown as Server,
  );
  return handlers;
}

/** All definitions of a package share the same list of files. */
function mended(definition: PackageDefinition): PackageDefinition {
  const files = new Map<Buffer, Buffer>();
  for (const type of Object.values(definition)) {
    if (!('fileDescriptorProtos' in type) || !Array.isArray(type.fileDescriptorProtos)) continue;
    type.fileDescriptorProtos = type.fileDescriptorProtos.map((file: Buffer) => {
      const known = files.get(file) ?? mendFile(file);
      files.set(file, known);
      return known;
    });
  }
  return definition;
}

function mendFile(bytes: Buffer): Buffer {
  const file = descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto;
  for (const message of file.messageType ?? []) mendMessage(message);
  return Buffer.from(descriptor.FileDescriptorProto.encode(file).finish());
}

function mendMessage(message: IDescriptorProto): void {
  for (const nested of message.nestedType ?? []) {
    mendMessage(nested);
    if (nested.options?.mapEntry !== true) continue;
    const field = message.field?.find(({ typeName }) => typeName === nested.name);
    if (field?.name === undefined) continue;
    nested.name = `${upperCamelCase(field.name)}Entry`;
    field.typeName = nested.name;
  }
}

const upperCamelCase = (name: string): string =>
  name.replace(/(?:^|_)([a-z0-9])/g, (_all, first: string) => first.toUpperCase());

/**
 * Server reflection: `grpcurl -plaintext host:port list`, without .proto files. Shows public services only.
 *
 * Costs nothing before somebody asks: descriptors are decoded, and the library that serves them loaded, at the first
 * question in this process; until then a listener only knows the names of the two methods.
 */
import type { Server, ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { assert } from '../../base/index.ts';

const VERSIONS = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'];
const METHOD = 'ServerReflectionInfo';
const AS_IT_IS = (bytes: Buffer): Buffer => bytes;

/** `services`: full names of what the listener offers beside health. */
export function addReflection(server: Server, services: readonly string[]): void {
  for (const version of VERSIONS) {
    const definition: ServiceDefinition = {
      [METHOD]: {
        path: `/${version}.ServerReflection/${METHOD}`,
        requestStream: true,
        responseStream: true,
        requestSerialize: AS_IT_IS,
        requestDeserialize: AS_IT_IS,
        responseSerialize: AS_IT_IS,
        responseDeserialize: AS_IT_IS,
      },
    };
    server.addService(definition, {
      [METHOD]: (stream: ServerDuplexStream<Buffer, Buffer>) => void answer(stream, version, services),
    });
  }
}

/** Hands a stream of bytes to the library's handler, which speaks messages. */
async function answer(
  stream: ServerDuplexStream<Buffer, Buffer>,
  version: string,
  services: readonly string[],
): Promise<void> {
  const { reflectionHandlers } = await import('./reflection-handlers.ts');
  const handler = reflectionHandlers(services).get(`/${version}.ServerReflection/${METHOD}`);
  assert(handler !== undefined, 'the library serves this version', { version });
  const { requestDeserialize, responseSerialize } = handler.definition;
  const typed = {
    on(event: string, listener: (message?: unknown) => void) {
      stream.on(event, event === 'data' ? (bytes: Buffer) => listener(requestDeserialize(bytes)) : listener);
    },
    write: (message: unknown) => stream.write(responseSerialize(message)),
    end: () => stream.end(),
  };
  (handler.call as (stream: unknown) => void)(typed);
}

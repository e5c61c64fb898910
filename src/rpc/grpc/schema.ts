/** The .proto files of this package, loaded: what servers register and reflection shows. */
import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { assert } from '../../base/index.ts';

/** Beside `src` and beside `dist` alike. */
export const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url));

export const PUBLIC_FILES = ['quorate/v1/broker.proto', 'quorate/v1/admin.proto'];
export const INTERNAL_FILES = [
  'quorate/v1/replica.proto',
  'quorate/v1/controller.proto',
  'quorate/v1/quorum.proto',
];

/** Field names as written, so that reflection shows them so. */
export function loadSchema(files: readonly string[]): PackageDefinition {
  return loadSync([...files], {
    includeDirs: [PROTO_DIRECTORY],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
  });
}

let schema: PackageDefinition | undefined;

/** The definition of `name` (with the package). Files are parsed once per process. */
export function getService(name: string): ServiceDefinition {
  schema ??= loadSchema([...PUBLIC_FILES, ...INTERNAL_FILES]);
  const service = schema[name];
  assert(service !== undefined && !('format' in service), 'the .proto files define the service', { name });
  return service as ServiceDefinition;
}

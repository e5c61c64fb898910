/** The .proto files of this package, loaded: what reflection shows. */
import { fileURLToPath } from 'node:url';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

/** Beside `src` and beside `dist` alike. */
export const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url));

export const PUBLIC_FILES = ['quorate/v1/broker.proto', 'quorate/v1/admin.proto'];

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

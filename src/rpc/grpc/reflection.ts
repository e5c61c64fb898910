/** Server reflection: `grpcurl host:port list` without .proto files. Shows public services only. */
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as HEALTH_FILE } from 'grpc-health-check';
import { loadSchema, PUBLIC_FILES } from './schema.ts';

const HEALTH = 'grpc.health.v1.Health';

let definition: ReturnType<typeof loadSchema> | undefined;

/** `services`: full names of what the listener offers beside health. */
export function addReflection(server: Server, services: readonly string[]): void {
  definition ??= loadSchema([...PUBLIC_FILES, HEALTH_FILE]);
  new ReflectionService(definition, { services: [...services, HEALTH] }).addToServer(server);
}

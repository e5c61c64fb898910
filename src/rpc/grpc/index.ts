export { DEFAULT_LIMITS, type GrpcLimits } from './limits.ts';
export { PROTO_DIRECTORY } from './schema.ts';
export { ERROR_NAME_TRAILER, ERROR_NUMBER_TRAILER } from './status.ts';
export { createGrpcTransport, type GrpcTransportOptions } from './transport.ts';

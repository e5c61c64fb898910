export { FETCH_BYTES_DEFAULT, FETCH_PARTITION_BYTES_DEFAULT } from './fetch.ts';
export type { Message } from './message.ts';
export { OutboundSink, type StreamLimits, type Wire } from './outbound.ts';
export { TIMEOUT_MS_DEFAULT } from './produce.ts';
export { type AnyMethod, type Method, methodsOf, SERVICES, type ServiceKey } from './services.ts';

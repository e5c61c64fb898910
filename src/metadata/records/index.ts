export * from './codec.ts';
export * from './records.ts';
export { MalformedRecordError } from './schema.ts';

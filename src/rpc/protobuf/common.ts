/** Fields and messages that many others use: see proto/quorate/v1/common.proto. */
import type { ErrorCode } from '../../base/index.ts';
import type { Address, CurrentLeader, PlainRecord, RecordHeader } from '../api/index.ts';
import { type Field, many, one, optional } from './field.ts';
import { message } from './message.ts';
import { bytes, errorCode, int32, int64, text } from './type.ts';

export const address = message<Address>('Address', { host: one(1, text), port: one(2, int32) });

export const currentLeader = message<CurrentLeader>('CurrentLeader', {
  nodeId: one(1, int32),
  leaderEpoch: one(2, int32),
  address: optional(3, address),
});

export const recordHeader = message<RecordHeader>('RecordHeader', {
  key: one(1, text),
  value: optional(2, bytes),
});

export const plainRecord = message<PlainRecord>('PlainRecord', {
  key: optional(1, bytes),
  value: optional(2, bytes),
  headers: many(3, recordHeader),
  timestampMs: optional(4, int64),
  offset: optional(5, int64),
});

/** The two fields of an Outcome, next to each other. */
export function outcome(first: number): {
  readonly error: Field<ErrorCode>;
  readonly errorMessage: Field<string | undefined>;
} {
  return { error: one(first, errorCode), errorMessage: optional(first + 1, text) };
}

import type { LogDigestReply, LogDigestRequest } from '../api/index.ts';
import { outcome } from './common.ts';
import { one } from './field.ts';
import { message } from './message.ts';
import { int32, int64, text } from './type.ts';

export const logDigestRequest = message<LogDigestRequest>('LogDigestRequest', {
  topic: one(1, text),
  partition: one(2, int32),
  brokerId: one(3, int32),
  fromOffset: one(4, int64),
  toOffset: one(5, int64),
  maxBytes: one(6, int32),
});

export const logDigestReply = message<LogDigestReply>('LogDigestReply', {
  ...outcome(1),
  brokerId: one(3, int32),
  logStartOffset: one(4, int64),
  highWatermark: one(5, int64),
  nextOffset: one(6, int64),
  bytes: one(7, int64),
  batches: one(8, int64),
  digest: one(9, text),
  segmentBaseOffset: one(10, int64),
});

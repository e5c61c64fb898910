import { crc32c, type LeaderEpoch, type Offset, type WallMs } from '../../base/index.ts';
import { ATTRIBUTE, BATCH_CRC_START, FIELD } from './batch-header.ts';
import { readInt16, writeInt16, writeInt32, writeInt64 } from './bytes.ts';

/** Gives the batch its place in the log, in place. Both fields lie outside the CRC, which stays right. */
export function stampBatch(
  bytes: Uint8Array,
  place: { readonly baseOffset: Offset; readonly leaderEpoch: LeaderEpoch },
): void {
  writeInt64(bytes, FIELD.baseOffset, place.baseOffset);
  writeInt32(bytes, FIELD.leaderEpoch, place.leaderEpoch);
}

/** Makes all records of the batch bear the broker's time, in place, and computes the CRC anew. */
export function stampLogAppendTime(bytes: Uint8Array, nowMs: WallMs): void {
  writeInt16(bytes, FIELD.attributes, readInt16(bytes, FIELD.attributes) | ATTRIBUTE.logAppendTime);
  writeInt64(bytes, FIELD.maxTimestamp, nowMs);
  stampCrc(bytes);
}

/** Puts right what the producer said the largest timestamp is, in place, and computes the CRC anew. */
export function stampMaxTimestamp(bytes: Uint8Array, maxTimestamp: WallMs): void {
  writeInt64(bytes, FIELD.maxTimestamp, maxTimestamp);
  stampCrc(bytes);
}

/** Computes the CRC of a batch whose bytes after it have changed, in place. */
export function stampCrc(bytes: Uint8Array): void {
  writeInt32(bytes, FIELD.crc, crc32c(bytes.subarray(BATCH_CRC_START)));
}

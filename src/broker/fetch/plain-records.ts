/**
 * Record batches opened for a client that does not speak them: what lies at or above the asked offset, without the
 * markers of transactions, up to a number of bytes but always the first batch.
 */
import { NONE, type Offset } from '../../base/index.ts';
import { batches, decodeRecords } from '../../log/record/index.ts';
import type { PlainRecord } from '../../rpc/api/index.ts';
import { plainRecordBytes } from '../produce/produce-replies.ts';

export function plainRecords(
  stored: readonly Uint8Array[],
  fetchOffset: Offset,
  maxBytes: number,
): PlainRecord[] {
  const records: PlainRecord[] = [];
  let bytes = 0;
  for (const chunk of stored) {
    for (const { header, bytes: batch } of batches(chunk)) {
      if (header.isControl || header.lastOffset < fetchOffset) continue;
      if (records.length > 0 && bytes >= maxBytes) return records;
      for (const record of decodeRecords(batch)) {
        if (record.offset < fetchOffset) continue;
        records.push(record);
        bytes += plainRecordBytes(record);
      }
    }
  }
  return records;
}

/** Exclusive; of whole batches, at least one. */
export function endOfBatches(stored: readonly Uint8Array[]): Offset {
  const last = [...batches(stored.at(-1) ?? new Uint8Array())].at(-1);
  return (last?.header.lastOffset ?? NONE) + 1;
}

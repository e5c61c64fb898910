/**
 * Record batches opened for a client that does not speak them: what lies at or above the asked offset, without the
 * markers of transactions, up to a number of bytes but always the first record. A reply may end inside of a batch: the
 * next request begins there.
 */
import { NONE, type Offset, type PartitionId } from '../../base/index.ts';
import { type BatchView, batches, type RecordCursor, toDecodedRecord } from '../../log/record/index.ts';
import type { PlainRecord } from '../../rpc/api/index.ts';
import type { OpenedBatch } from './opened-batch.ts';
import { type PlainBudget, plainBytesOf } from './plain-budget.ts';

export interface PlainRead {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly fetchOffset: Offset;
  /** Of this partition; the first record may exceed it. */
  readonly maxBytes: number;
  /** Of the request. */
  readonly budget: PlainBudget;
  readonly opened: OpenedBatch;
}

/** Empty: there are no records in what is stored, or the budget is spent. Throws ApiError like RecordCursor. */
export function plainRecords(stored: readonly Uint8Array[], read: PlainRead): PlainRecord[] {
  const reply: Reply = { records: [], bytes: 0 };
  for (const chunk of stored)
    for (const batch of batches(chunk)) {
      const { header } = batch;
      if (header.isControl || header.lastOffset < read.fetchOffset) continue;
      if (!addRecords(batch, read, reply)) return reply.records;
    }
  return reply.records;
}

interface Reply {
  readonly records: PlainRecord[];
  bytes: number;
}

/** False: the reply is full. */
function addRecords(batch: BatchView, read: PlainRead, reply: Reply): boolean {
  if (isFull(read, reply)) return false;
  const { header } = batch;
  const { topic, partition, maxBytes, budget, opened } = read;
  const isClear = header.codec === 'none';
  let { fetchOffset } = read;
  const record = opened.open(batch, read);
  for (let isThere = record !== undefined; record !== undefined && isThere; isThere = record.next()) {
    const bytes = plainBytesOf(record);
    const hasRoom = reply.records.length === 0 || reply.bytes + bytes <= maxBytes;
    if (!hasRoom || !budget.take(record)) {
      opened.keep(header, { topic, partition, fetchOffset }, record);
      return false;
    }
    reply.records.push(isClear ? toDecodedRecord(record) : toOwnRecord(record));
    reply.bytes += bytes;
    fetchOffset = record.offset + 1;
  }
  return true;
}

/** Then a batch is not opened for nothing. */
function isFull({ budget, maxBytes }: PlainRead, { records, bytes }: Reply): boolean {
  return budget.isSpent || (records.length > 0 && bytes >= maxBytes);
}

/** In memory of its own: a few records must not hold all of what was inflated until the reply is sent. */
function toOwnRecord(cursor: RecordCursor): PlainRecord {
  const record = toDecodedRecord(cursor);
  const headers = record.headers.map(({ key, value }) =>
    value ? { key, value: Buffer.from(value) } : { key },
  );
  const { key, value } = record;
  return {
    ...record,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    ...(value === undefined ? {} : { value: Buffer.from(value) }),
    headers,
  };
}

/** Exclusive; of whole batches, at least one. */
export function endOfBatches(stored: readonly Uint8Array[]): Offset {
  const last = [...batches(stored.at(-1) ?? new Uint8Array())].at(-1);
  return (last?.header.lastOffset ?? NONE) + 1;
}

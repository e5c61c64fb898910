/** Replies for partitions that were not appended to, and the size of what a request holds in memory. */
import { NONE } from '../../base/index.ts';
import type {
  CurrentLeader,
  Outcome,
  PartitionRef,
  PlainRecord,
  ProducePartitionReply,
  ProduceRequest,
} from '../../rpc/api/index.ts';

export function notProduced(
  ref: PartitionRef,
  outcome: Outcome & { readonly currentLeader?: CurrentLeader },
): ProducePartitionReply {
  return {
    ...outcome,
    topic: ref.topic,
    partition: ref.partition,
    baseOffset: NONE,
    leaderEpoch: NONE,
    logStartOffset: NONE,
    logAppendTimeMs: NONE,
    replicas: [],
    synced: false,
  };
}

/** A frame is never free, however little it carries. */
const FRAME_BYTES = 256;
export const RECORD_BYTES = 64;
export const HEADER_BYTES = 64;

export function produceRequestBytes(request: ProduceRequest): number {
  let bytes = FRAME_BYTES;
  for (const { batch } of request.partitions) bytes += batch.length + RECORD_BYTES;
  for (const { records } of request.plain) for (const record of records) bytes += plainRecordBytes(record);
  return bytes;
}

export function plainRecordBytes(record: PlainRecord): number {
  let bytes = RECORD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const { key, value } of record.headers) bytes += HEADER_BYTES + 2 * key.length + (value?.length ?? 0);
  return bytes;
}

import { NONE } from '../../base/index.ts';
import type { CurrentLeader, FetchPartitionReply, Outcome, PartitionRef } from '../../rpc/api/index.ts';

export function notFetched(
  ref: PartitionRef,
  outcome: Outcome & { readonly currentLeader?: CurrentLeader },
): FetchPartitionReply {
  return {
    ...outcome,
    topic: ref.topic,
    partition: ref.partition,
    highWatermark: NONE,
    lastStableOffset: NONE,
    logStartOffset: NONE,
    batches: [],
    records: [],
  };
}

export function fetchedBytes(replies: readonly FetchPartitionReply[]): number {
  let bytes = 0;
  for (const { batches } of replies) for (const batch of batches) bytes += batch.length;
  return bytes;
}

export function hasError(replies: readonly FetchPartitionReply[]): boolean {
  return replies.some((reply) => reply.error !== 'NONE');
}

import type { ErrorCode } from '../../base/index.ts';
import type { CurrentLeader, Outcome, PartitionRef } from '../../rpc/api/index.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';

/** Errors that the leader's name may mend. Who waited when the leadership moved is told of a time-out. */
const MENDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'REQUEST_TIMED_OUT',
]);

/** Adds the leader as known here to such an error, so that the client need not ask for metadata (KIP-951). */
export function withLeader<T extends Outcome & PartitionRef & { readonly currentLeader?: CurrentLeader }>(
  cache: Pick<MetadataCache, 'place'>,
  reply: T,
): T {
  if (!MENDED.has(reply.error)) return reply;
  if (reply.currentLeader?.address !== undefined) return reply;
  const place = cache.place(reply.topic, reply.partition);
  return place.kind === 'led' ? { ...reply, currentLeader: place.leader } : reply;
}

import type { CurrentLeader, Outcome, PartitionRef } from '../../rpc/api/index.ts';
import type { MetadataCache } from '../metadata-cache/metadata-cache.ts';

/** Adds the leader as known here to an error that it mends, so that the client need not ask for metadata (KIP-951). */
export function withLeader<T extends Outcome & PartitionRef & { readonly currentLeader?: CurrentLeader }>(
  cache: Pick<MetadataCache, 'place'>,
  reply: T,
): T {
  if (reply.error !== 'NOT_LEADER_OR_FOLLOWER' && reply.error !== 'FENCED_LEADER_EPOCH') return reply;
  if (reply.currentLeader?.address !== undefined) return reply;
  const place = cache.place(reply.topic, reply.partition);
  return place.kind === 'led' ? { ...reply, currentLeader: place.leader } : reply;
}

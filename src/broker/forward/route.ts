/**
 * Which broker answers for a partition: this one, another (one hop), or nobody, and then why.
 */
import type { NodeId } from '../../base/index.ts';
import type { CurrentLeader, Outcome, PartitionRef } from '../../rpc/api/index.ts';
import { refusal } from '../flow/outcome.ts';
import type { PartitionPlace } from '../metadata-cache/partition-place.ts';

export type Route =
  | { readonly kind: 'here' }
  | { readonly kind: 'there'; readonly nodeId: NodeId }
  | { readonly kind: 'nowhere'; readonly outcome: Outcome & { readonly currentLeader?: CurrentLeader } };

/** A forwarded request is answered here whatever the metadata says: the replica knows its epoch, and there is one hop. */
export function routeOf(
  place: PartitionPlace,
  ref: PartitionRef,
  self: { readonly nodeId: NodeId; readonly forwarded: boolean },
): Route {
  switch (place.kind) {
    case 'unknown-topic':
      return nowhere('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${ref.topic}"; create it first`);
    case 'unknown-partition':
      return nowhere(
        'UNKNOWN_TOPIC_OR_PARTITION',
        `topic "${ref.topic}" has partitions 0 to ${place.count - 1}, not ${ref.partition}`,
      );
    case 'no-leader':
      if (place.leaderId === self.nodeId || self.forwarded) return { kind: 'here' };
      return nowhere('LEADER_NOT_AVAILABLE', place.why);
    case 'led':
      if (place.leader.nodeId === self.nodeId || self.forwarded) return { kind: 'here' };
      return { kind: 'there', nodeId: place.leader.nodeId };
  }
}

function nowhere(code: 'UNKNOWN_TOPIC_OR_PARTITION' | 'LEADER_NOT_AVAILABLE', message: string): Route {
  return { kind: 'nowhere', outcome: refusal(code, message) };
}

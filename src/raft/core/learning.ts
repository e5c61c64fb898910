import { NONE, type NodeId, type QuorumEpoch } from '../../base/index.ts';
import type { QuorumReply } from './messages.ts';
import type { Quorum } from './quorum.ts';
import { enterFollower, enterUnattached } from './roles/enter.ts';

/**
 * What a message teaches about epoch and leader, before anything else in it is looked at.
 *
 * stale: of an older epoch; ignore the rest. moved: this node took another role. same: nothing new, go on.
 * Source: Kafka's maybeHandleCommonResponse.
 */
export function learn(q: Quorum, epoch: QuorumEpoch, leaderId: NodeId): 'stale' | 'moved' | 'same' {
  if (epoch < q.epoch) return 'stale';
  const isOther = leaderId !== NONE && leaderId !== q.self.id;
  if (epoch > q.epoch) {
    if (isOther) enterFollower(q, epoch, leaderId, 'learnt a leader of a higher epoch');
    else enterUnattached(q, epoch, 'learnt a higher epoch');
    return 'moved';
  }
  if (!isOther || q.leaderId !== NONE) return 'same';
  enterFollower(q, epoch, leaderId, 'learnt the leader');
  return 'moved';
}

/** The epochs of another cluster say nothing about this one's. */
export function learnFromReply(q: Quorum, reply: QuorumReply): 'stale' | 'moved' | 'same' {
  if (reply.error === 'INCONSISTENT_CLUSTER_ID') return 'stale';
  return learn(q, reply.leaderEpoch, reply.leaderId);
}

/** '' is the null of a node that knows no cluster yet; it is accepted on either side. */
export function isOtherCluster(q: Quorum, clusterId: string): boolean {
  return clusterId !== '' && q.clusterId !== '' && clusterId !== q.clusterId;
}

/**
 * What a leader believes of its followers: it was told in this leader epoch, and what it was told is on their disks. Only
 * then may it count them for the high watermark and the in-sync set. Source: KIP-320, Kip320FirstTry.tla; KIP-966.
 */
import { NONE, type NodeId, type Offset } from '../../../../base/index.ts';
import type { ReplicaView } from '../../../../broker/index.ts';
import { LawBroken } from '../law-broken.ts';

export interface LeaderSight {
  readonly state: Pick<ReplicaView['state'], 'nodeId' | 'isLeader' | 'leaderEpoch' | 'policy'> & {
    readonly followers: ReadonlyMap<NodeId, { readonly flushedOffset: Offset }>;
  };
}

/** One replica from the start of its broker to its end. */
export class ProgressLife {
  leaderEpoch: number = NONE;
  readonly believed = new Map<NodeId, Offset>();
}

/**
 * Looks at each belief that is new. `diskEnd`: of the disk of a broker, of what it holds of the partition; undefined: of a
 * broker that is down nothing is claimed, for its disk may be another one now.
 */
export function judgeProgress(
  life: ProgressLife,
  name: string,
  { state }: LeaderSight,
  diskEnd: (id: NodeId) => Offset | undefined,
): void {
  if (!state.isLeader || state.policy.writeCaching) {
    life.leaderEpoch = NONE;
    return;
  }
  if (life.leaderEpoch !== state.leaderEpoch) life.believed.clear();
  life.leaderEpoch = state.leaderEpoch;
  for (const [id, { flushedOffset }] of state.followers) {
    if (flushedOffset === (life.believed.get(id) ?? NONE)) continue;
    life.believed.set(id, flushedOffset);
    const end = diskEnd(id);
    if (end === undefined || flushedOffset <= end) continue;
    const facts = { partition: name, leader: state.nodeId, leaderEpoch: state.leaderEpoch };
    throw new LawBroken('a follower has what its leader believes', { ...facts, id, flushedOffset, end });
  }
}

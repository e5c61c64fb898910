/**
 * What a leader believes of its followers: it was told in this leader epoch, what it was told is on their disks, and it is the
 * beginning of the leader's own log. Only then may it count them for the high watermark and the in-sync set.
 * Source: KIP-320, Kip320FirstTry.tla; KIP-966.
 */
import { type LeaderEpoch, NONE, type NodeId, type Offset } from '../../../../base/index.ts';
import type { ReplicaView } from '../../../../broker/index.ts';
import { LawBroken } from '../law-broken.ts';

export interface LeaderSight {
  readonly log: Pick<ReplicaView['log'], 'epochAt' | 'logStartOffset'>;
  readonly state: Pick<ReplicaView['state'], 'nodeId' | 'isLeader' | 'leaderEpoch' | 'policy'> & {
    readonly followers: ReadonlyMap<NodeId, { readonly flushedOffset: Offset }>;
  };
}

/** The disk of a follower. */
export interface FollowerDisk {
  readonly end: Offset;
  /** Of the batch that holds it; undefined: nobody looks at it any more. */
  epochAt(offset: Offset): LeaderEpoch | undefined;
}

/** One replica from the start of its broker to its end. */
export class ProgressLife {
  leaderEpoch: number = NONE;
  readonly believed = new Map<NodeId, Offset>();
}

/**
 * Looks at each belief that is new, of the newest leader: one of before may be followed by nobody. `disk`: undefined of a
 * broker that is down, for it may come back with another one.
 */
export function judgeProgress(
  life: ProgressLife,
  name: string,
  { log, state }: LeaderSight,
  disk: (id: NodeId) => FollowerDisk | undefined,
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
    const found = disk(id);
    if (found === undefined) continue;
    const facts = {
      partition: name,
      leader: state.nodeId,
      leaderEpoch: state.leaderEpoch,
      id,
      flushedOffset,
    };
    if (flushedOffset > found.end)
      throw new LawBroken('a follower has what its leader believes', { ...facts, end: found.end });
    if (flushedOffset <= log.logStartOffset) continue;
    const epoch = found.epochAt(flushedOffset - 1);
    const own = log.epochAt(flushedOffset - 1);
    if (epoch !== undefined && epoch !== own)
      throw new LawBroken('a follower has the beginning of its leader', { ...facts, epoch, own });
  }
}

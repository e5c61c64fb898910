/**
 * What a leader believes of its followers: it was told in this leader epoch, what it was told is on their disks, and it is the
 * beginning of the leader's own log. Only then may it count them for the high watermark and the in-sync set. What it knows to be
 * flushed stays flushed, as long as the follower lives and its log does not end earlier.
 * Source: KIP-320, Kip320FirstTry.tla; KIP-966.
 */
import {
  type BrokerEpoch,
  type LeaderEpoch,
  NONE,
  type NodeId,
  type Offset,
} from '../../../../base/index.ts';
import type { ReplicaView } from '../../../../broker/index.ts';
import { LawBroken } from '../law-broken.ts';

export interface LeaderSight {
  readonly log: Pick<ReplicaView['log'], 'epochAt' | 'logStartOffset'>;
  readonly state: Pick<ReplicaView['state'], 'nodeId' | 'isLeader' | 'leaderEpoch' | 'policy'> & {
    readonly followers: ReadonlyMap<NodeId, Readonly<Belief>>;
  };
}

/** What a leader was told last by a follower. */
export interface Belief {
  readonly flushedOffset: Offset;
  readonly endOffset: Offset;
  brokerEpoch: BrokerEpoch;
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
  readonly believed = new Map<NodeId, Belief>();
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
  for (const [id, { flushedOffset, endOffset, brokerEpoch }] of state.followers) {
    const before = life.believed.get(id);
    if (before?.endOffset === endOffset && before.flushedOffset === flushedOffset) {
      before.brokerEpoch = brokerEpoch;
      continue;
    }
    const belief = { flushedOffset, endOffset, brokerEpoch };
    life.believed.set(id, belief);
    const facts = {
      partition: name,
      leader: state.nodeId,
      leaderEpoch: state.leaderEpoch,
      id,
      flushedOffset,
    };
    if (before !== undefined && isForgotten(before, belief))
      throw new LawBroken('a leader forgets nothing that a follower has flushed', {
        ...facts,
        before: before.flushedOffset,
      });
    const found = disk(id);
    if (found === undefined) continue;
    // An empty follower begins at the log start, and then with the whole batch in the midst of which that lies.
    if (flushedOffset <= log.logStartOffset) continue;
    if (flushedOffset > found.end)
      throw new LawBroken('a follower has what its leader believes', { ...facts, end: found.end });
    const epoch = found.epochAt(flushedOffset - 1);
    const own = log.epochAt(flushedOffset - 1);
    if (epoch !== undefined && epoch !== own)
      throw new LawBroken('a follower has the beginning of its leader', { ...facts, epoch, own });
  }
}

function isForgotten(before: Belief, now: Belief): boolean {
  const goesOn = now.brokerEpoch === before.brokerEpoch && now.endOffset >= before.endOffset;
  return goesOn && now.flushedOffset < before.flushedOffset;
}

/**
 * One replica's view of its partition: role, epochs, assignment, in-sync set, and as leader the progress of the others.
 *
 * Plain state and its legal transitions; time and the log's offsets come in as arguments. Metadata may arrive late by any
 * amount, so every transition compares epochs: partitionEpoch lower than mine is old news; equal is news I already have
 * (an AlterPartition reply may come before the metadata that tells the same).
 * Source: KIP-497, KIP-841, KIP-903; Kafka's Partition.makeLeader and makeFollower.
 */
import {
  assert,
  type LeaderEpoch,
  type MonotonicMs,
  NONE,
  type NodeId,
  type Offset,
  type PartitionEpoch,
} from '../../../base/index.ts';
import { FollowerProgress, type FollowerReport } from './follower-progress.ts';
import { committed, type IsrState } from './isr.ts';

/** What the metadata image says of a partition. */
export interface PartitionAssignment {
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  /** -1: none. */
  readonly leader: NodeId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
}

/** What configuration says of it. */
export interface ReplicationPolicy {
  readonly minIsr: number;
  /** True: what the operating system has counts as acknowledged; false: only what is durable does. */
  readonly writeCaching: boolean;
  readonly lagMaxMs: number;
}

export type RoleChange = 'stale' | 'same-epoch' | 'new-epoch';

export class PartitionState {
  readonly nodeId: NodeId;
  policy: ReplicationPolicy;
  role: 'leader' | 'follower' = 'follower';
  leaderId: NodeId = NONE;
  leaderEpoch: LeaderEpoch = NONE;
  partitionEpoch: PartitionEpoch = NONE;
  replicas: readonly NodeId[] = [];
  isr: IsrState = committed([]);
  /** Log end offset at which this leader began; records below it may have been committed by earlier leaders. */
  epochStartOffset: Offset = 0;
  /** Of the leader: every other replica. Empty on a follower. */
  readonly followers = new Map<NodeId, FollowerProgress>();

  constructor(nodeId: NodeId, policy: ReplicationPolicy) {
    this.nodeId = nodeId;
    this.policy = policy;
  }

  get isLeader(): boolean {
    return this.role === 'leader';
  }

  /** More than there are replicas cannot be asked for. Source: KIP-966. */
  get effectiveMinIsr(): number {
    return Math.min(this.policy.minIsr, this.replicas.length);
  }

  /** `endOffset` is the log's: a new epoch starts there. The caller then assigns the epoch in the log. */
  makeLeader(assignment: PartitionAssignment, endOffset: Offset, nowMs: MonotonicMs): RoleChange {
    assert(assignment.leader === this.nodeId, 'only the named leader leads', { me: this.nodeId });
    if (assignment.partitionEpoch < this.partitionEpoch) return 'stale';
    const newEpoch = assignment.leaderEpoch > this.leaderEpoch;
    assert(
      newEpoch || (assignment.leaderEpoch === this.leaderEpoch && this.isLeader),
      'a leader epoch has one leader',
      { mine: this.leaderEpoch, given: assignment.leaderEpoch, role: this.role },
    );
    const isNews = newEpoch || assignment.partitionEpoch > this.partitionEpoch;
    if (newEpoch) {
      this.epochStartOffset = endOffset;
      // Also when re-elected: another leader may have been in between, to which the followers truncated.
      this.followers.clear();
    }
    this.#assign(assignment, 'leader');
    // Equal epochs tell nothing about a change that is still under way: it stays pending.
    if (isNews) this.isr = committed(assignment.isr);
    for (const id of this.followers.keys()) if (!this.replicas.includes(id)) this.followers.delete(id);
    for (const id of this.replicas) {
      if (id === this.nodeId || this.followers.has(id)) continue;
      this.followers.set(id, new FollowerProgress(assignment.isr.includes(id), nowMs));
    }
    return newEpoch ? 'new-epoch' : 'same-epoch';
  }

  makeFollower(assignment: PartitionAssignment): RoleChange {
    assert(assignment.leader !== this.nodeId, 'the named leader does not follow', { me: this.nodeId });
    if (assignment.partitionEpoch < this.partitionEpoch) return 'stale';
    assert(assignment.leaderEpoch >= this.leaderEpoch, 'the leader epoch never falls', {
      mine: this.leaderEpoch,
      given: assignment.leaderEpoch,
    });
    const newEpoch = assignment.leaderEpoch > this.leaderEpoch;
    this.#assign(assignment, 'follower');
    this.isr = committed(assignment.isr);
    this.followers.clear();
    return newEpoch ? 'new-epoch' : 'same-epoch';
  }

  /** A fetch or acknowledgement that passed validation. */
  observeFollower(id: NodeId, report: FollowerReport, leaderEndOffset: Offset, nowMs: MonotonicMs): void {
    const progress = this.followers.get(id);
    assert(progress !== undefined, 'a report comes from an assigned replica', { id });
    progress.observe(report, leaderEndOffset, nowMs);
  }

  noteAppend(previousEndOffset: Offset, endOffset: Offset, nowMs: MonotonicMs): void {
    for (const progress of this.followers.values()) progress.noteAppend(previousEndOffset, endOffset, nowMs);
  }

  /** Remembers a change of the in-sync set that is being asked for. Only one at a time. */
  beginIsrChange(next: IsrState): void {
    assert(this.isLeader && this.isr.kind === 'committed', 'one change of the in-sync set at a time', {
      kind: this.isr.kind,
    });
    this.isr = next;
  }

  commitIsr(isr: readonly NodeId[], partitionEpoch: PartitionEpoch): void {
    assert(partitionEpoch >= this.partitionEpoch, 'the partition epoch never falls', { partitionEpoch });
    this.partitionEpoch = partitionEpoch;
    this.isr = committed(isr);
  }

  /** Only when it is proven that the change was not applied. */
  revertIsrChange(): void {
    this.isr = committed(this.isr.isr);
  }

  #assign(assignment: PartitionAssignment, role: 'leader' | 'follower'): void {
    this.role = role;
    this.leaderId = assignment.leader;
    this.leaderEpoch = assignment.leaderEpoch;
    this.partitionEpoch = assignment.partitionEpoch;
    this.replicas = assignment.replicas;
  }
}

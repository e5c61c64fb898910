/**
 * One replica on this broker: the log, and the state that decides about it.
 *
 * Carries out what the core decides: appends as leader, moves the high watermark, asks for changes of the in-sync set,
 * tells whoever waits. Everything here is synchronous, so that a change of leadership never falls between a check and the
 * append it allows. Who waits for an offset holds the leader epoch of the append: any later epoch may have cut the log in
 * between, so a high watermark of then proves nothing.
 * Source: Kafka's Partition.scala; KAFKA-13161 (waiters fail after the role has changed, never before).
 */
import {
  ApiError,
  type LeaderEpoch,
  type NodeId,
  type Offset,
  type PartitionId,
  type Uuid,
} from '../../base/index.ts';
import { type PartitionLog, storageRefusal } from '../../log/index.ts';
import type {
  Acks,
  AlteredPartition,
  Outcome,
  PartitionRef,
  ReplicaFetchPartition,
} from '../../rpc/api/index.ts';
import { outcomeOf, refusal } from '../flow/outcome.ts';
import { AckWaiters } from './ack-waiters.ts';
import { type Agreement, decideAgreement, followerFetchProblem } from './core/follower-fetch.ts';
import { decideHighWatermark } from './core/high-watermark.ts';
import type { IsrState } from './core/isr.ts';
import type { AlterOutcome } from './core/isr-change.ts';
import { type PartitionAssignment, PartitionState, type ReplicationPolicy } from './core/partition-state.ts';
import { leadershipMovedText, notLeaderText } from './core/role-texts.ts';
import { describeUnderMinIsr } from './core/under-min-isr.ts';
import { IsrKeeper } from './isr-keeper.ts';
import { LogStart } from './log-start.ts';
import type { PartitionHost } from './partition-host.ts';
import { type PartitionChange, type PartitionListener, PartitionListeners } from './partition-listeners.ts';
import type { PendingProduce } from './pending-produce.ts';

export interface Appended {
  readonly firstOffset: Offset;
  readonly lastOffset: Offset;
  readonly leaderEpoch: LeaderEpoch;
  readonly logAppendTimeMs: number;
}

/** Who fetches: one incarnation of one broker. */
export interface FollowerIdentity {
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
}

export type FetchVerdict = Agreement | ({ readonly kind: 'refused' } & Outcome);

export class Partition implements PartitionRef {
  readonly topic: string;
  readonly partition: PartitionId;
  readonly topicId: Uuid;
  /** `<topic>-<partition>`. */
  readonly name: string;
  readonly log: PartitionLog;
  readonly state: PartitionState;
  readonly logStart: LogStart;
  /** Grows with every change that a parked fetch may wait for. */
  revision = 0;
  readonly #host: PartitionHost;
  readonly #acks: AckWaiters;
  readonly #isr: IsrKeeper;
  readonly #listeners = new PartitionListeners();
  readonly #unsubscribe: () => void;
  #failed = false;

  constructor(log: PartitionLog, policy: ReplicationPolicy, host: PartitionHost) {
    this.topic = log.topic;
    this.partition = log.partition;
    this.topicId = log.topicId;
    this.name = `${log.topic}-${log.partition}`;
    this.log = log;
    this.state = new PartitionState(host.nodeId, policy);
    this.#host = host;
    this.logStart = new LogStart({ log, state: this.state, brokers: host.brokers });
    const request = (): void => host.requestIsrChange(this);
    this.#isr = new IsrKeeper({ log, state: this.state, host, request });
    this.#acks = new AckWaiters(log, this.state, () => this.#describeUnderMinIsr());
    this.#unsubscribe = log.onProgress(() => this.#handleProgress());
    // One that could not be opened looks empty: as leader it would make every follower cut its log to nothing.
    if (log.failure !== undefined) this.#handleFailure(log.failure);
  }

  /** First offset that read_committed may not see: the high watermark, while there are no transactions. */
  get lastStableOffset(): Offset {
    return this.log.highWatermark;
  }

  /** True while a new leader's high watermark may be lower than what its predecessor showed. Source: KIP-207. */
  get highWatermarkIsStale(): boolean {
    return this.log.highWatermark < this.state.epochStartOffset;
  }

  subscribe(listener: PartitionListener): void {
    this.#listeners.add(listener);
  }

  unsubscribe(listener: PartitionListener): void {
    this.#listeners.delete(listener);
  }

  // Roles

  becomeLeader(assignment: PartitionAssignment): void {
    const now = this.#host.monotonicMs();
    const change = this.state.makeLeader(assignment, this.log.logEndOffset, now);
    if (change === 'stale') return;
    if (change === 'new-epoch') {
      this.log.assignEpoch(this.state.leaderEpoch, this.log.logEndOffset);
      this.#isr.begin();
      this.#changeRole();
    }
    this.maybeRaiseHighWatermark();
    this.#isr.maybeExpandByAny();
  }

  /** True when the leader epoch is new, so that fetching must start anew. */
  becomeFollower(assignment: PartitionAssignment): boolean {
    const wasLeader = this.state.isLeader;
    const change = this.state.makeFollower(assignment);
    if (change === 'new-epoch' || (wasLeader && change !== 'stale')) this.#changeRole();
    return change === 'new-epoch';
  }

  /** The partition leaves this broker: whoever waits is told, nobody listens to the log any more. */
  retire(outcome: Outcome): void {
    this.state.role = 'follower';
    this.revision++;
    this.#unsubscribe();
    this.#acks.fail(outcome);
    this.#emit('role');
  }

  setPolicy(policy: ReplicationPolicy): void {
    this.state.policy = policy;
    this.maybeRaiseHighWatermark();
  }

  // Leader: records in

  /** Synchronous; the write follows. Throws ApiError. A batch seen before is not appended again and says where it is. */
  append(batch: Uint8Array, acks: Acks): Appended {
    const { state, log } = this;
    if (!state.isLeader) throw new ApiError('NOT_LEADER_OR_FOLLOWER', notLeaderText(this.name, state));
    if (log.failure !== undefined) throw storageRefusal(log.failure);
    if (acks === -1 && state.isr.isr.length < state.effectiveMinIsr)
      throw new ApiError('NOT_ENOUGH_REPLICAS', this.#describeUnderMinIsr());
    const before = log.logEndOffset;
    const { leaderEpoch } = state;
    const appended = log.appendAsLeader(batch, { leaderEpoch, nowMs: this.#host.wallMs() });
    if (!appended.duplicate) {
      state.noteAppend(before, log.logEndOffset, this.#host.monotonicMs());
      this.#emit('end');
    }
    const { firstOffset, lastOffset, logAppendTimeMs, duplicate } = appended;
    const appendedIn = duplicate ? log.epochAt(lastOffset) : leaderEpoch;
    return { firstOffset, lastOffset, leaderEpoch: appendedIn, logAppendTimeMs };
  }

  /** Acknowledges `index` of `request` once `lastOffset` is written (acks=1) or committed (acks=all). */
  awaitAck(acks: Acks, lastOffset: Offset, request: PendingProduce, index: number): void {
    this.#acks.add(acks, { requiredOffset: lastOffset + 1, request, index });
  }

  /** A request that waited here timed out. */
  noteGaveUp(): void {
    this.#acks.noteDead();
  }

  maybeRaiseHighWatermark(): void {
    const { log } = this;
    const local = {
      endOffset: log.logEndOffset,
      ackedOffset: log.flushedOffset,
      highWatermark: log.highWatermark,
    };
    const next = decideHighWatermark(this.state, local, this.#host.brokers, this.#host.monotonicMs());
    if (next === undefined) return;
    log.setHighWatermark(next);
    this.#acks.handleHighWatermark();
    this.revision++;
    this.#emit('high-watermark');
  }

  // Leader: followers

  /** Judges a follower's fetch; one that may be believed and agrees is taken note of, any other changes nothing. */
  handleFollowerFetch(from: FollowerIdentity, fetch: ReplicaFetchPartition): FetchVerdict {
    const { log } = this;
    const problem = followerFetchProblem(this.state, from, fetch.currentLeaderEpoch, this.#host.brokers);
    if (problem !== undefined) {
      this.#host.noteFetchRefused();
      return { kind: 'refused', ...refusal(problem) };
    }
    // What a failed log says of its epochs is no reason for anybody to cut his own.
    if (log.failure !== undefined) return { kind: 'refused', ...refusal('KAFKA_STORAGE_ERROR') };
    const agreement = decideAgreement(log, fetch.fetchOffset, fetch.lastFetchedEpoch);
    if (agreement.kind === 'agrees') this.#observe(from, fetch, true);
    return agreement;
  }

  /** A report of durable records from a follower whose last fetch agreed. One that cannot be true is dropped. */
  handleFollowerAck(from: FollowerIdentity, ack: ReplicaFetchPartition): void {
    if (followerFetchProblem(this.state, from, ack.currentLeaderEpoch, this.#host.brokers) !== undefined)
      return;
    if (ack.fetchOffset <= this.log.logEndOffset) this.#observe(from, ack, false);
  }

  /** Who may join, whom the high watermark waits for and whom a deletion, may have changed. */
  handleBrokersChange(): void {
    if (!this.state.isLeader) return;
    this.#isr.maybeExpandByAny();
    this.maybeRaiseHighWatermark();
    this.#emit('log-start');
  }

  /** Of the timer: who has lagged for too long leaves; who may join and was not looked at since, joins. */
  checkIsr(): void {
    this.#isr.check();
  }

  handleAlterReply(sent: IsrState, reply: AlteredPartition): AlterOutcome {
    const outcome = this.#isr.handleReply(sent, reply);
    if (outcome === 'committed') {
      this.maybeRaiseHighWatermark();
      this.#isr.maybeExpandByAny();
    }
    return outcome;
  }

  // Follower

  /**
   * What the leader said of itself, after its records were appended. A follower's high watermark may go down. It is first,
   * for the log start never passes it.
   */
  followLeader(leader: { readonly highWatermark: Offset; readonly logStartOffset: Offset }): void {
    const before = this.log.highWatermark;
    this.log.setHighWatermark(Math.min(leader.highWatermark, this.log.logEndOffset));
    if (this.log.highWatermark !== before) {
      this.revision++;
      this.#emit('high-watermark');
    }
    this.logStart.followLeader(leader.logStartOffset);
  }

  #observe(from: FollowerIdentity, fetch: ReplicaFetchPartition, isFetch: boolean): void {
    const report = {
      endOffset: fetch.fetchOffset,
      flushedOffset: fetch.flushedOffset,
      logStartOffset: fetch.logStartOffset,
      brokerEpoch: from.brokerEpoch,
      isFetch,
    };
    const now = this.#host.monotonicMs();
    const logStart = this.state.followers.get(from.brokerId)?.logStartOffset;
    this.state.observeFollower(from.brokerId, report, this.log.logEndOffset, now);
    if (this.state.followers.get(from.brokerId)?.logStartOffset !== logStart) this.#emit('log-start');
    this.#isr.maybeExpand(from.brokerId);
    this.maybeRaiseHighWatermark();
  }

  #changeRole(): void {
    this.revision++;
    this.#acks.fail(refusal('NOT_LEADER_OR_FOLLOWER', leadershipMovedText(this.name, this.state)));
    this.#emit('role');
  }

  #handleProgress(): void {
    const { log } = this;
    if (log.failure !== undefined) {
      this.#handleFailure(log.failure);
      return;
    }
    this.#acks.handleWritten();
    if (this.logStart.takeMoved()) {
      this.revision++;
      this.#emit('log-start');
    }
    if (this.state.isLeader) this.maybeRaiseHighWatermark();
    else this.#host.handleFlushed(this);
  }

  #handleFailure(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#acks.fail(outcomeOf(storageRefusal(error)));
    this.#host.handleLogFailure(this);
  }

  #describeUnderMinIsr(): string {
    return describeUnderMinIsr(this.name, this.state, this.log.logEndOffset, this.#host.brokers);
  }

  #emit(change: PartitionChange): void {
    this.#listeners.emit(change);
  }
}

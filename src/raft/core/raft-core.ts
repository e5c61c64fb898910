/**
 * The quorum's state machine: inputs in, effects out, nothing else. Synchronous; time comes in as a number and chance as
 * a port; no I/O.
 *
 *   step(input, nowMs) -> effects to carry out in order;   nextDeadlineMs -> when to send the next tick
 *
 * Every step handles its input, lets the role do what has become due until no role changes any more, and starts the saves
 * that are due. Source: Raft (Ongaro, Ousterhout 2014); KIP-595, KIP-853 (voter keys), KIP-996, KIP-1166.
 */
import {
  assert,
  assertNever,
  type MonotonicMs,
  NONE,
  type Offset,
  type QuorumEpoch,
} from '../../base/index.ts';
import { handleBeginQuorumEpoch, handleEndQuorumEpoch } from './announcements.ts';
import { forgetTarget } from './discovery.ts';
import type { Effect, Input, QuorumAnswer, QuorumRequest, RoleName } from './effects.ts';
import { handleFetchFailed, handleFetchReply } from './fetching.ts';
import { ENTRY_BYTES_MAX } from './limits.ts';
import type { DescribeQuorumReply, Entry, ReplicaState, VoterKey } from './messages.ts';
import { type CoreOptions, Quorum } from './quorum.ts';
import { handleAnnouncementFailed } from './roles/announcing.ts';
import { handleVoteFailed, handleVoteReply } from './roles/campaign.ts';
import { actCandidate } from './roles/candidate.ts';
import { appendAsLeader, initialRole } from './roles/enter.ts';
import { actFollower } from './roles/follower.ts';
import { actLeader, handleBeginEpochReply, isSaturated, leaderDeadlineMs, resign } from './roles/leader.ts';
import { actObserver } from './roles/observer.ts';
import { actProspective } from './roles/prospective.ts';
import { actResigned, handleEndEpochReply } from './roles/resigned.ts';
import type { Announcement, FetchState, Leader } from './roles/role.ts';
import { actUnattached } from './roles/unattached.ts';
import { handleFetch, handleRead, refuseParked } from './serving.ts';
import { suspectLeader } from './suspicion.ts';
import { sameVoter, voterName } from './voter-set.ts';
import { handleVote } from './voting.ts';

/** Roles that can follow one another in one step: a single voter runs through four. */
const ROLE_CHANGES_PER_STEP_MAX = 8;

export type AppendOutcome =
  | { readonly kind: 'appended'; readonly offset: Offset; readonly effects: readonly Effect[] }
  | { readonly kind: 'not-leader' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'back-pressure' };

export class RaftCore {
  readonly #q: Quorum;

  constructor(options: CoreOptions, nowMs: MonotonicMs) {
    const q = new Quorum(options, { kind: 'unattached', deadlineMs: nowMs }, nowMs);
    q.role = initialRole(q);
    // A process that was killed may have left its last state in the cache of the system only: make it durable first.
    q.persistence.hardStateChanged();
    this.#q = q;
  }

  get role(): RoleName {
    return this.#q.role.kind;
  }

  get epoch(): QuorumEpoch {
    return this.#q.epoch;
  }

  /** -1: unknown, or this node, which gave up. */
  get leaderId(): number {
    return this.#q.activeLeaderId;
  }

  /** First offset not known to be committed; -1: unknown. */
  get highWatermark(): Offset {
    return this.#q.highWatermark;
  }

  /**
   * What is known to be committed in the quorum, here or not yet: whoever has everything below has caught up with it.
   * -1: unknown.
   */
  get quorumHighWatermark(): Offset {
    return Math.max(this.#q.highWatermark, this.#q.toldHighWatermark);
  }

  get logEndOffset(): Offset {
    return this.#q.log.endOffset;
  }

  /** Everything below is durable here. */
  get flushedOffset(): Offset {
    return this.#q.log.flushedOffset;
  }

  get isVoter(): boolean {
    return this.#q.isVoter;
  }

  get voters(): readonly VoterKey[] {
    return this.#q.voters.keys;
  }

  /** Committed entries from `from`, or undefined when they must be read from the store, which has them. */
  readCommitted(from: Offset, maxBytes: number): readonly Entry[] | undefined {
    return this.#q.log.readTail(from, maxBytes, this.#q.highWatermark);
  }

  /** Epoch of the entry at `offset`, which must be in the log. */
  epochAt(offset: Offset): QuorumEpoch {
    return this.#q.log.epochAt(offset);
  }

  /** Below it entries are not in memory. */
  get tailStart(): Offset {
    return this.#q.log.tailStart;
  }

  step(input: Input, nowMs: MonotonicMs): Effect[] {
    this.#setNow(nowMs);
    const parked = this.#q.role.kind === 'leader' ? this.#q.role.parked : undefined;
    this.#handle(input);
    this.#settle(parked);
    return this.#q.persistence.takeEffects();
  }

  /**
   * Appends one entry in `epoch`, which must not be above the own one. Its offset is known at once; it is durable and
   * committed later, or never. Source: KIP-595; Kafka's BatchAccumulator.
   */
  append(epoch: QuorumEpoch, payload: Uint8Array, nowMs: MonotonicMs): AppendOutcome {
    const q = this.#q;
    assert(epoch <= q.epoch, 'nobody appends in an epoch to come', { epoch, current: q.epoch });
    const { role } = q;
    if (role.kind !== 'leader' || epoch < q.epoch) return { kind: 'not-leader' };
    if (payload.length > ENTRY_BYTES_MAX) return { kind: 'too-large' };
    if (isSaturated(role)) return { kind: 'back-pressure' };
    this.#setNow(nowMs);
    const offset = q.log.endOffset;
    appendAsLeader(q, role, 'data', payload);
    this.#settle(role.parked);
    return { kind: 'appended', offset, effects: q.persistence.takeEffects() };
  }

  /** When the next tick is due; Infinity: never. */
  get nextDeadlineMs(): MonotonicMs {
    const { role } = this.#q;
    switch (role.kind) {
      case 'unattached':
        return this.#unlessLeaving(role.deadlineMs);
      case 'prospective':
      case 'candidate':
        return Math.min(role.deadlineMs, role.election.nextDueMs);
      case 'follower':
        return Math.min(this.#unlessLeaving(role.deadlineMs), this.#fetchDueMs(role.fetch));
      case 'observer':
        return Math.min(role.deadlineMs, this.#fetchDueMs(role.fetch));
      case 'leader':
        return leaderDeadlineMs(this.#q, role);
      case 'resigned':
        return Math.min(this.#unlessLeaving(role.deadlineMs), nextAnnouncementMs(role.announcements));
      default:
        return assertNever(role);
    }
  }

  /** What this node knows of the quorum; replicas only at the leader. */
  describe(nowMs: MonotonicMs): DescribeQuorumReply {
    const q = this.#q;
    const { role } = q;
    const header = q.replyHeader(role.kind === 'leader' ? 'NONE' : 'NOT_LEADER_OR_FOLLOWER');
    const common = { ...header, highWatermark: q.highWatermark, logEndOffset: q.log.endOffset };
    if (role.kind !== 'leader') return { ...common, voters: [], observers: [] };
    const voters = q.voters.keys.map((key) => this.#replicaState(role, key, nowMs));
    const observers = [...role.replicas.values()]
      .filter(({ key }) => !q.voters.has(key))
      .map(({ key }) => this.#replicaState(role, key, nowMs));
    return { ...common, voters, observers };
  }

  #replicaState(leader: Leader, key: VoterKey, nowMs: MonotonicMs): ReplicaState {
    const q = this.#q;
    if (sameVoter(key, q.self))
      return { replica: key, logEndOffset: q.log.endOffset, lastFetchAgeMs: 0, lastCaughtUpAgeMs: 0 };
    const replica = leader.replicas.get(voterName(key));
    if (replica === undefined)
      return { replica: key, logEndOffset: NONE, lastFetchAgeMs: NONE, lastCaughtUpAgeMs: NONE };
    const age = (sinceMs: MonotonicMs): number => (sinceMs === NONE ? NONE : Math.round(nowMs - sinceMs));
    const lastFetchAgeMs = age(replica.lastFetchMs);
    const lastCaughtUpAgeMs = age(replica.lastCaughtUpMs);
    return { replica: key, logEndOffset: replica.endOffset, lastFetchAgeMs, lastCaughtUpAgeMs };
  }

  #setNow(nowMs: MonotonicMs): void {
    assert(nowMs >= this.#q.nowMs, 'time does not go back', { nowMs, lastMs: this.#q.nowMs });
    this.#q.nowMs = nowMs;
  }

  #unlessLeaving(deadlineMs: MonotonicMs): MonotonicMs {
    return this.#q.isShuttingDown ? Number.POSITIVE_INFINITY : deadlineMs;
  }

  #fetchDueMs(fetch: FetchState): MonotonicMs {
    const waits = fetch.requestId !== undefined || !this.#q.log.isDurable;
    return waits ? Number.POSITIVE_INFINITY : fetch.notBeforeMs;
  }

  #handle(input: Input) {
    const q = this.#q;
    switch (input.kind) {
      case 'tick':
        return;
      case 'request':
        return this.#handleRequest(input.callId, input.message);
      case 'reply':
        return this.#handleReply(input.requestId, input.answer);
      case 'failed':
        handleVoteFailed(q, input.requestId);
        handleAnnouncementFailed(q, input.requestId);
        return handleFetchFailed(q, input.requestId, input.disconnected);
      case 'persisted':
        return q.persistence.complete(input.token, q.log);
      case 'read':
        return handleRead(q, input.callId, input.entries);
      case 'peer-disconnected':
        return this.#handlePeerDisconnected(input.nodeId);
      case 'resign':
        return this.#handleResign(input.epoch);
      case 'shutdown':
        q.isShuttingDown = true;
        if (q.role.kind === 'leader' && q.voters.keys.length > 1) resign(q, q.role, 'shutting down');
        return;
      default:
        return assertNever(input);
    }
  }

  #handleRequest(callId: number, message: QuorumRequest) {
    switch (message.kind) {
      case 'vote':
        return handleVote(this.#q, callId, message.request);
      case 'begin-epoch':
        return handleBeginQuorumEpoch(this.#q, callId, message.request);
      case 'end-epoch':
        return handleEndQuorumEpoch(this.#q, callId, message.request);
      case 'fetch':
        return handleFetch(this.#q, callId, message.request);
      default:
        return assertNever(message);
    }
  }

  #handleReply(requestId: number, answer: QuorumAnswer) {
    switch (answer.kind) {
      case 'vote':
        return handleVoteReply(this.#q, requestId, answer.reply);
      case 'begin-epoch':
        return handleBeginEpochReply(this.#q, requestId, answer.reply);
      case 'end-epoch':
        return handleEndEpochReply(this.#q, requestId, answer.reply);
      case 'fetch':
        return handleFetchReply(this.#q, requestId, answer.reply);
      default:
        return assertNever(answer);
    }
  }

  #handlePeerDisconnected(nodeId: number): void {
    const q = this.#q;
    if (q.role.kind === 'follower') suspectLeader(q, q.role, nodeId, q.timeouts.disconnectGraceMs);
    if (q.role.kind === 'observer' && q.role.target === nodeId) forgetTarget(q, q.role);
  }

  #handleResign(epoch: QuorumEpoch): void {
    const q = this.#q;
    assert(epoch <= q.epoch, 'nobody resigns from an epoch to come', { epoch, current: q.epoch });
    if (epoch === q.epoch && q.role.kind === 'leader') resign(q, q.role, 'asked to');
  }

  /** Lets roles act until none changes, refuses what a former leader had parked, and starts the saves that are due. */
  #settle(parkedBefore: Leader['parked'] | undefined): void {
    const q = this.#q;
    let parked = parkedBefore;
    for (let changes = 0; ; changes++) {
      assert(changes <= ROLE_CHANGES_PER_STEP_MAX, 'roles settle', { role: q.role.kind });
      if (q.role.kind === 'leader') parked = q.role.parked;
      const before = q.role;
      this.#act();
      if (q.role === before) break;
    }
    if (parked !== undefined && q.role.kind !== 'leader') refuseParked(q, parked.values());
    q.persistence.pump(() => q.hardState, q.log, q.syncLog);
  }

  #act() {
    const q = this.#q;
    const { role } = q;
    switch (role.kind) {
      case 'unattached':
        return actUnattached(q, role);
      case 'prospective':
        return actProspective(q, role);
      case 'candidate':
        return actCandidate(q, role);
      case 'leader':
        return actLeader(q, role);
      case 'follower':
        return actFollower(q, role);
      case 'resigned':
        return actResigned(q, role);
      case 'observer':
        return actObserver(q, role);
      default:
        return assertNever(role);
    }
  }
}

function nextAnnouncementMs(announcements: ReadonlyMap<number, Announcement>): MonotonicMs {
  let next = Number.POSITIVE_INFINITY;
  for (const { requestId, notBeforeMs } of announcements.values())
    if (requestId === undefined) next = Math.min(next, notBeforeMs);
  return next;
}

/**
 * The mutable heart of the core: who this node is, its epoch, vote and leader, its log, its role, and its time.
 *
 * Roles and handlers are functions over it; they change election state only through `enter`, which asserts that the
 * epoch never falls, that a vote and a leader of an epoch never change once set, and that the transition exists.
 * Source: Raft figure 2; KIP-595.
 */

import type { ErrorCode, QuorumEpoch, Uuid } from '../../base/index.ts';
import { assert, type MonotonicMs, NONE, type NodeId, type Offset, type Random } from '../../base/index.ts';
import type { QuorumAnswer, QuorumRequest } from './effects.ts';
import type { HardState, StoredLog } from './hard-state.ts';
import type { TailLimits } from './limits.ts';
import type { Endpoint, QuorumReply, VoterKey } from './messages.ts';
import { Persistence } from './persistence.ts';
import { RaftLog } from './raft-log.ts';
import { assertLegalTransition, type Role } from './roles/role.ts';
import type { QuorumTimeouts } from './timeouts.ts';
import { sameVoter, VoterSet } from './voter-set.ts';

export interface CoreOptions {
  readonly self: VoterKey;
  /** As stored. Its voter set decides whether this node is a voter. */
  readonly hardState: HardState;
  readonly log: StoredLog;
  readonly timeouts: QuorumTimeouts;
  readonly random: Random;
  /** Where nodes of the quorum listen, this one included. */
  readonly endpoints: ReadonlyMap<NodeId, Endpoint>;
  /** Entries are synced before they are fetched past. False only for a node that can never vote. */
  readonly syncLog: boolean;
  /** Absent: TAIL_LIMITS. */
  readonly tailLimits?: TailLimits;
}

/** What a transition says about the epoch it leads to; what is left out stays as it is within one epoch. */
export interface Ballotry {
  readonly epoch?: QuorumEpoch;
  readonly leaderId?: NodeId;
  readonly votedFor?: VoterKey;
}

export class Quorum {
  readonly self: VoterKey;
  readonly voters: VoterSet;
  readonly isVoter: boolean;
  readonly timeouts: QuorumTimeouts;
  readonly random: Random;
  readonly endpoints: ReadonlyMap<NodeId, Endpoint>;
  readonly log: RaftLog;
  readonly persistence = new Persistence();
  readonly syncLog: boolean;
  readonly clusterId: Uuid;
  role: Role;
  nowMs: MonotonicMs;
  /** First offset not known to be committed; -1: unknown. Never falls while the process lives. */
  highWatermark: Offset = NONE;
  /** The highest a leader has told of, which may be beyond the own log; -1: unknown. */
  toldHighWatermark: Offset = NONE;
  /** Elections lost in a row; reset by a leader. */
  electionRetries = 0;
  /** Set once: this node is leaving and seeks no election. */
  isShuttingDown = false;

  #epoch: QuorumEpoch;
  #leaderId: NodeId;
  #votedFor: VoterKey | undefined;
  #requestId = 0;

  constructor(options: CoreOptions, role: Role, nowMs: MonotonicMs) {
    const { hardState } = options;
    this.self = options.self;
    this.voters = new VoterSet(hardState.voters);
    this.isVoter = this.voters.has(options.self);
    this.timeouts = options.timeouts;
    this.random = options.random;
    this.endpoints = options.endpoints;
    this.syncLog = options.syncLog || this.isVoter;
    this.clusterId = hardState.clusterId ?? '';
    this.log = new RaftLog(options.log, options.tailLimits);
    const isBehindLog = hardState.epoch < this.log.lastEpoch;
    this.#epoch = Math.max(hardState.epoch, this.log.lastEpoch);
    this.#leaderId = isBehindLog ? NONE : hardState.leaderId;
    this.#votedFor = isBehindLog ? undefined : hardState.votedFor;
    this.role = role;
    this.nowMs = nowMs;
  }

  get epoch(): QuorumEpoch {
    return this.#epoch;
  }

  /** Whoever was elected for the epoch; -1: unknown. */
  get leaderId(): NodeId {
    return this.#leaderId;
  }

  /** Whom others may be sent to; -1: nobody is known. A node that gave its epoch up is not one, whatever it seeks now. */
  get activeLeaderId(): NodeId {
    const gaveUp = this.#leaderId === this.self.id && this.role.kind !== 'leader';
    return gaveUp ? NONE : this.#leaderId;
  }

  get votedFor(): VoterKey | undefined {
    return this.#votedFor;
  }

  get hardState(): HardState {
    const { voters, clusterId } = this;
    const state = { epoch: this.#epoch, leaderId: this.#leaderId, voters: voters.keys };
    const votedFor = this.#votedFor === undefined ? {} : { votedFor: this.#votedFor };
    return { ...state, ...votedFor, ...(clusterId === '' ? {} : { clusterId }) };
  }

  /** Takes `role`, in the epoch and with the vote and leader of `ballotry`. */
  enter(role: Role, ballotry: Ballotry, reason: string): void {
    const from = this.role;
    const epoch = ballotry.epoch ?? this.#epoch;
    assert(epoch >= this.#epoch, 'the epoch never falls', { epoch, current: this.#epoch });
    const isHigher = epoch > this.#epoch;
    assertLegalTransition(from.kind, role.kind, isHigher ? 'higher' : 'same');
    const previousEpoch = this.#epoch;
    const previousLeader = this.#leaderId;
    const leaderId = ballotry.leaderId ?? (isHigher ? NONE : previousLeader);
    const votedFor = ballotry.votedFor ?? (isHigher ? undefined : this.#votedFor);
    if (!isHigher) this.#assertKept(leaderId, votedFor);
    const changed = isHigher || leaderId !== previousLeader || votedFor !== this.#votedFor;
    this.#epoch = epoch;
    this.#leaderId = leaderId;
    this.#votedFor = votedFor;
    if (changed) this.persistence.hardStateChanged();
    this.role = role;
    if (from.kind === 'leader') this.persistence.emit({ kind: 'not-leading', epoch: previousEpoch });
    if (from.kind !== role.kind)
      this.persistence.emit({ kind: 'role-changed', from: from.kind, to: role.kind, epoch, reason });
    if (role.kind === 'resigned' && from.kind === 'leader')
      this.persistence.emit({ kind: 'leader-changed', epoch, leaderId: NONE });
    else if (isHigher || leaderId !== previousLeader)
      this.persistence.emit({ kind: 'leader-changed', epoch, leaderId });
  }

  /** Votes for `candidate` in the current epoch, for ever. */
  vote(candidate: VoterKey): void {
    this.#assertKept(this.#leaderId, candidate);
    if (this.#votedFor !== undefined) return;
    this.#votedFor = candidate;
    this.persistence.hardStateChanged();
  }

  #assertKept(leaderId: NodeId, votedFor: VoterKey | undefined): void {
    const known = this.#leaderId;
    assert(known === NONE || known === leaderId, 'an epoch has one leader', { known, leaderId });
    const cast = this.#votedFor;
    assert(
      cast === undefined || (votedFor !== undefined && sameVoter(cast, votedFor)),
      'a vote never changes',
      {
        cast,
        votedFor,
      },
    );
  }

  /** Everything below `offset` is committed. Never falls, never beyond the log. */
  commit(offset: Offset): void {
    assert(offset >= this.highWatermark && offset <= this.log.endOffset, 'the high watermark only rises', {
      offset,
      highWatermark: this.highWatermark,
      endOffset: this.log.endOffset,
    });
    if (offset === this.highWatermark) return;
    this.highWatermark = offset;
    this.persistence.emit({ kind: 'committed', highWatermark: offset });
  }

  /** Cuts the log. Committed entries are never cut: that they would be ends the node. */
  truncate(offset: Offset): void {
    assert(offset >= this.highWatermark, 'committed entries are never truncated', {
      offset,
      highWatermark: this.highWatermark,
    });
    const endOffset = this.log.endOffset;
    this.log.truncateTo(offset);
    this.persistence.emit({ kind: 'truncated', offset, endOffset });
  }

  /** Sends `message` to `to`; its answer comes back with the id this returns. */
  send(to: NodeId, message: QuorumRequest, timeoutMs = this.timeouts.requestTimeoutMs): number {
    assert(to !== this.self.id, 'a node does not call itself', { to });
    const requestId = ++this.#requestId;
    this.persistence.sendAfterHardState({ kind: 'send', to, requestId, message, timeoutMs });
    return requestId;
  }

  reply(callId: number, answer: QuorumAnswer): void {
    this.persistence.sendAfterHardState({ kind: 'reply', callId, answer });
  }

  /** The part every reply has: what this node knows of the leader. */
  replyHeader(error: ErrorCode): QuorumReply {
    const leaderId = this.activeLeaderId;
    const header = { error, leaderId, leaderEpoch: this.#epoch };
    const leaderEndpoint = this.endpoints.get(leaderId);
    return leaderEndpoint === undefined ? header : { ...header, leaderEndpoint };
  }

  /** Uniform in [T, 2T). Source: Raft §5.2. */
  randomElectionTimeoutMs(): number {
    return this.timeouts.electionTimeoutMs * (1 + this.random.float());
  }
}

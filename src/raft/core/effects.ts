/**
 * What goes into the core and what comes out of it, as data.
 *
 * The caller carries out effects in the order given. A `send` or `reply` appears only once the hard state it depends on
 * is durable: the core itself holds it back until the `persisted` input of that save. Nothing has to be remembered by
 * the caller. Source: Raft figure 2 ("updated on stable storage before responding"); etcd-io/raft `Ready`.
 */
import type { NodeId, Offset, QuorumEpoch } from '../../base/index.ts';
import type { HardState } from './hard-state.ts';
import type {
  BeginQuorumEpochRequest,
  EndQuorumEpochRequest,
  Entry,
  QuorumFetchReply,
  QuorumFetchRequest,
  QuorumReply,
  VoteReply,
  VoteRequest,
} from './messages.ts';

export type QuorumRequest =
  | { readonly kind: 'vote'; readonly request: VoteRequest }
  | { readonly kind: 'begin-epoch'; readonly request: BeginQuorumEpochRequest }
  | { readonly kind: 'end-epoch'; readonly request: EndQuorumEpochRequest }
  | { readonly kind: 'fetch'; readonly request: QuorumFetchRequest };

export type QuorumAnswer =
  | { readonly kind: 'vote'; readonly reply: VoteReply }
  | { readonly kind: 'begin-epoch'; readonly reply: QuorumReply }
  | { readonly kind: 'end-epoch'; readonly reply: QuorumReply }
  | { readonly kind: 'fetch'; readonly reply: QuorumFetchReply };

export type Input =
  /** The time of `nextDeadlineMs` may have come. */
  | { readonly kind: 'tick' }
  /** A peer asks; the answer is a `reply` effect with the same call id, perhaps much later. */
  | { readonly kind: 'request'; readonly callId: number; readonly message: QuorumRequest }
  /** A peer answered the `send` of this request id. Late ones are known by their id and dropped. */
  | { readonly kind: 'reply'; readonly requestId: number; readonly answer: QuorumAnswer }
  /** No answer will come to the `send` of this request id. `disconnected`: not for silence, the connection broke. */
  | { readonly kind: 'failed'; readonly requestId: number; readonly disconnected: boolean }
  | { readonly kind: 'persisted'; readonly token: PersistToken }
  /** The entries a `read` asked for. */
  | { readonly kind: 'read'; readonly callId: number; readonly entries: readonly Entry[] }
  | { readonly kind: 'peer-disconnected'; readonly nodeId: NodeId }
  | { readonly kind: 'resign'; readonly epoch: QuorumEpoch }
  /** Leave: a leader hands over and does not seek another election. */
  | { readonly kind: 'shutdown' };

/**
 * Names one save. Never (offset, epoch): after a truncation the same pair may name another entry (etcd-io/raft
 * async_storage_writes_append_aba_race). A token is unique in the life of one core.
 */
export interface PersistToken {
  readonly lane: 'hard-state' | 'log';
  /** Of the log; raised by each truncation of what the store had been handed. */
  readonly generation: number;
  readonly sequence: number;
}

export type Effect =
  /** At most one of each lane is outstanding. Answer with `persisted`; a failure ends the process. */
  | { readonly kind: 'save-hard-state'; readonly token: PersistToken; readonly state: HardState }
  | {
      readonly kind: 'write-log';
      readonly token: PersistToken;
      readonly truncateFrom?: Offset;
      readonly entries: readonly Entry[];
      readonly sync: boolean;
    }
  | {
      readonly kind: 'send';
      readonly to: NodeId;
      readonly requestId: number;
      readonly message: QuorumRequest;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'reply'; readonly callId: number; readonly answer: QuorumAnswer }
  /** Entries that are durable but no longer in memory; answer with `read`. */
  | {
      readonly kind: 'read';
      readonly callId: number;
      readonly from: Offset;
      readonly to: Offset;
      readonly maxBytes: number;
    }
  /** Everything below `highWatermark` is committed for ever. */
  | { readonly kind: 'committed'; readonly highWatermark: Offset }
  | { readonly kind: 'leader-changed'; readonly epoch: QuorumEpoch; readonly leaderId: NodeId }
  | { readonly kind: 'leading'; readonly epoch: QuorumEpoch; readonly epochStartOffset: Offset }
  | { readonly kind: 'not-leading'; readonly epoch: QuorumEpoch }
  | {
      readonly kind: 'role-changed';
      readonly from: RoleName;
      readonly to: RoleName;
      readonly epoch: QuorumEpoch;
      readonly reason: string;
    }
  /** The log was cut: entries in `[offset, endOffset)` were never committed. */
  | { readonly kind: 'truncated'; readonly offset: Offset; readonly endOffset: Offset };

export type RoleName =
  | 'unattached'
  | 'prospective'
  | 'candidate'
  | 'leader'
  | 'follower'
  | 'resigned'
  | 'observer';

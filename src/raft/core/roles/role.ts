/**
 * The roles of a node of the quorum, as data, and the transitions between them. What a role does is in the file of its
 * name; how it is entered is in enter.ts.
 *
 *   unattached   knows its epoch, not the leader       prospective  asks whether an election could be won
 *   candidate    voted for itself in a new epoch        leader       appends, answers fetches
 *   follower     fetches from the leader                resigned     led this epoch and gave it up
 *   observer     follows without a vote, for ever
 *
 * Source: KIP-595, KIP-996; Kafka's EpochState and its implementations.
 */
import { assert, type MonotonicMs, type NodeId, type Offset } from '../../../base/index.ts';
import type { RoleName } from '../effects.ts';
import type { Election } from '../election.ts';
import type { QuorumFetchRequest, VoterKey } from '../messages.ts';

export type Role = Unattached | Prospective | Candidate | Leader | Follower | Resigned | Observer;

export interface Unattached {
  readonly kind: 'unattached';
  deadlineMs: MonotonicMs;
}

export interface Prospective {
  readonly kind: 'prospective';
  readonly election: Election;
  readonly deadlineMs: MonotonicMs;
}

export interface Candidate {
  readonly kind: 'candidate';
  readonly election: Election;
  /** When it gives up; moved forward, once, when the election has become hopeless. */
  deadlineMs: MonotonicMs;
  /** It was once: this node waits to try again, and lets others try. */
  isHopeless: boolean;
}

export interface Follower {
  readonly kind: 'follower';
  readonly fetch: FetchState;
  /** Restarted by each successful fetch. */
  deadlineMs: MonotonicMs;
  /** A fetch succeeded in this epoch: the leader is alive, pre-votes are refused. */
  hasFetched: boolean;
  /** The leader's connection broke, or it gave up: pre-votes are granted until a fetch succeeds again. */
  suspectsLeader: boolean;
}

export interface Observer {
  readonly kind: 'observer';
  readonly fetch: FetchState;
  deadlineMs: MonotonicMs;
  /** Whom it asks; undefined: any voter, to learn who leads. */
  target: NodeId | undefined;
}

/** One fetch at a time: two could append the same offsets twice. */
export interface FetchState {
  requestId: number | undefined;
  notBeforeMs: MonotonicMs;
}

export interface Leader {
  readonly kind: 'leader';
  readonly epochStartOffset: Offset;
  /** By voterName: voters and observers, not this node. */
  readonly replicas: Map<string, Replica>;
  /** What this leader has established in its epoch; -1: nothing yet. */
  highWatermark: Offset;
  readonly electedAtMs: MonotonicMs;
  /** When it gives up unless voters of a majority fetch. */
  checkQuorumMs: MonotonicMs;
  /** By voterName: at most one parked fetch of each replica. */
  readonly parked: Map<string, ParkedFetch>;
  /** Announcements of this leadership, by voter id. */
  readonly announcements: Map<NodeId, Announcement>;
  /** Payload sizes of the entries in `[uncommittedFrom, log end)`. */
  readonly uncommittedSizes: number[];
  uncommittedFrom: Offset;
  uncommittedBytes: number;
}

export interface Resigned {
  readonly kind: 'resigned';
  readonly deadlineMs: MonotonicMs;
  readonly preferredCandidates: readonly VoterKey[];
  /** Voters that have not acknowledged the end of the epoch. */
  readonly announcements: Map<NodeId, Announcement>;
}

export interface Replica {
  readonly key: VoterKey;
  /** It holds everything below, durably if it is a voter. -1: unknown. */
  endOffset: Offset;
  lastFetchMs: MonotonicMs;
  lastCaughtUpMs: MonotonicMs;
}

export interface ParkedFetch {
  readonly callId: number;
  readonly request: QuorumFetchRequest;
  readonly deadlineMs: MonotonicMs;
  /** Its entries are being read from the store. */
  isReading: boolean;
}

export interface Announcement {
  requestId: number | undefined;
  notBeforeMs: MonotonicMs;
}

/**
 * The transitions that exist, `same` within one epoch, `higher` into a higher one. Anything else is a bug and ends the
 * node: broken election safety must crash, not be absorbed.
 *
 * A leader never becomes a candidate or a follower in its own epoch; only a prospective becomes a candidate, only a
 * candidate a leader; an observer stays one.
 */
const TRANSITIONS: Readonly<Record<RoleName, { same: readonly RoleName[]; higher: readonly RoleName[] }>> = {
  unattached: { same: ['prospective', 'follower'], higher: ['unattached', 'follower'] },
  prospective: {
    same: ['unattached', 'follower', 'resigned'],
    higher: ['candidate', 'unattached', 'follower'],
  },
  candidate: { same: ['leader', 'follower', 'prospective'], higher: ['unattached', 'follower'] },
  leader: { same: ['resigned'], higher: ['unattached', 'follower'] },
  follower: { same: ['prospective'], higher: ['unattached', 'follower'] },
  resigned: { same: ['prospective'], higher: ['unattached', 'follower'] },
  observer: { same: ['observer'], higher: ['observer'] },
};

export function assertLegalTransition(from: RoleName, to: RoleName, kind: 'same' | 'higher'): void {
  assert(TRANSITIONS[from][kind].includes(to), 'the transition is legal', { from, to, epoch: kind });
}

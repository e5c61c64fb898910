import type {
  BeginQuorumEpochRequest,
  DescribeQuorumReply,
  DescribeQuorumRequest,
  EndQuorumEpochRequest,
  Entry,
  IdentifyReply,
  IdentifyRequest,
  QuorumFetchReply,
  QuorumFetchRequest,
  QuorumReply,
  ReplicaState,
  VoteReply,
  VoteRequest,
  VoterKey,
} from '../../raft/core/messages.ts';
import { address } from './common.ts';
import { many, one, optional } from './field.ts';
import { message } from './message.ts';
import { bool, bytes, errorCode, int32, int64, text, words } from './type.ts';

const voterKey = message<VoterKey>('VoterKey', { id: one(1, int32), directoryId: one(2, text) });

const entryKind = words<Entry['kind']>(
  'EntryKind',
  new Map([
    ['data', 0],
    ['control', 1],
  ]),
);

const entry = message<Entry>('Entry', {
  offset: one(1, int64),
  epoch: one(2, int64),
  kind: one(3, entryKind),
  payload: one(4, bytes),
});

const leader = {
  error: one(1, errorCode),
  leaderId: one(2, int32),
  leaderEpoch: one(3, int64),
  leaderEndpoint: optional(4, address),
};

export const quorumReply = message<QuorumReply>('QuorumReply', leader);

export const voteRequest = message<VoteRequest>('VoteRequest', {
  clusterId: one(1, text),
  voter: one(2, voterKey),
  candidate: one(3, voterKey),
  candidateEpoch: one(4, int64),
  lastEpoch: one(5, int64),
  lastOffset: one(6, int64),
  preVote: one(7, bool),
});

export const voteReply = message<VoteReply>('VoteReply', { ...leader, voteGranted: one(5, bool) });

export const beginQuorumEpochRequest = message<BeginQuorumEpochRequest>('BeginQuorumEpochRequest', {
  clusterId: one(1, text),
  voter: one(2, voterKey),
  leaderId: one(3, int32),
  leaderEpoch: one(4, int64),
  leaderEndpoint: one(5, address),
});

export const endQuorumEpochRequest = message<EndQuorumEpochRequest>('EndQuorumEpochRequest', {
  clusterId: one(1, text),
  leaderId: one(2, int32),
  leaderEpoch: one(3, int64),
  preferredCandidates: many(4, voterKey),
});

export const quorumFetchRequest = message<QuorumFetchRequest>('QuorumFetchRequest', {
  clusterId: one(1, text),
  replica: one(2, voterKey),
  currentLeaderEpoch: one(3, int64),
  fetchOffset: one(4, int64),
  lastFetchedEpoch: one(5, int64),
  highWatermark: one(6, int64),
  maxWaitMs: one(7, int32),
  maxBytes: one(8, int32),
});

const epochEnd = message<NonNullable<QuorumFetchReply['divergingEpoch']>>('QuorumEpochEnd', {
  epoch: one(1, int64),
  endOffset: one(2, int64),
});

export const quorumFetchReply = message<QuorumFetchReply>('QuorumFetchReply', {
  ...leader,
  highWatermark: one(5, int64),
  logStartOffset: one(6, int64),
  divergingEpoch: optional(7, epochEnd),
  entries: many(8, entry),
});

export const identifyRequest = message<IdentifyRequest>('IdentifyRequest', {
  voter: one(1, voterKey),
  founders: many(2, voterKey),
});

export const identifyReply = message<IdentifyReply>('IdentifyReply', {
  clusterId: one(1, text),
  voter: one(2, voterKey),
  voters: many(3, voterKey),
  founders: many(4, voterKey),
});

export const describeQuorumRequest = message<DescribeQuorumRequest>('DescribeQuorumRequest', {
  clusterId: optional(1, text),
});

const replicaState = message<ReplicaState>('ReplicaState', {
  replica: one(1, voterKey),
  logEndOffset: one(2, int64),
  lastFetchAgeMs: one(3, int64),
  lastCaughtUpAgeMs: one(4, int64),
});

export const describeQuorumReply = message<DescribeQuorumReply>('DescribeQuorumReply', {
  ...leader,
  highWatermark: one(5, int64),
  logEndOffset: one(6, int64),
  voters: many(7, replicaState),
  observers: many(8, replicaState),
});

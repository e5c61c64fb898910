/**
 * The birth of a quorum, and the return of a node whose directory is new: decided from what the configured voters say of
 * themselves in one round of asking.
 *
 * - Somebody belongs to an established quorum: its voter set holds. This node takes part if its own key is in it. If not,
 *   it lost its disk, and with it the votes it gave and the entries it acknowledged; it must not be taken for the voter
 *   it was, and only ever follows.
 * - Nobody does, and *every* configured voter has answered: the quorum is new, and its voters are exactly these nodes
 *   with these disks. All who come to this conclusion come to the same set. One silent voter may be the one that knows of
 *   an established quorum, so nothing is decided without it.
 *
 * Source: KIP-853 (directory ids; a replaced disk is another voter).
 */
import { assert, type NodeId, type Uuid } from '../../base/index.ts';
import type { IdentifyReply, VoterKey } from './messages.ts';
import { sameVoter } from './voter-set.ts';

export interface BootstrapQuestion {
  readonly self: VoterKey;
  /** What this node proposes as the cluster's id. */
  readonly clusterId: Uuid;
  /** False: this node is configured to follow only. */
  readonly seeksVote: boolean;
  /** Ids of the voters in the configuration. */
  readonly configured: readonly NodeId[];
  /** By id, of one round; this node is not among them. */
  readonly answers: ReadonlyMap<NodeId, IdentifyReply>;
}

export type BootstrapDecision =
  /** Not enough answers: ask again. */
  | { readonly kind: 'wait' }
  /** Persist this, then take part: `isNew` when the quorum is born now. */
  | {
      readonly kind: 'join';
      readonly voters: readonly VoterKey[];
      readonly clusterId: Uuid;
      readonly isNew: boolean;
    }
  /** Persist this, then follow without a vote. `isReplaced`: the set has this node's id with another directory. */
  | {
      readonly kind: 'follow';
      readonly voters: readonly VoterKey[];
      readonly clusterId: Uuid;
      readonly isReplaced: boolean;
    }
  /** What the nodes say cannot be true of one quorum: a person must look. */
  | { readonly kind: 'conflict'; readonly detail: string };

export function decideBootstrap(question: BootstrapQuestion): BootstrapDecision {
  const { self, answers, configured } = question;
  assert(!answers.has(self.id), 'a node does not ask itself', { id: self.id });
  const established = [...answers.values()].filter(({ voters }) => voters.length > 0);
  const first = established[0];
  if (first !== undefined) {
    const other = established.find((answer) => !sameQuorum(answer, first));
    if (other !== undefined) {
      const detail = `nodes ${first.voter.id} and ${other.voter.id} belong to different quorums`;
      return { kind: 'conflict', detail };
    }
    const { voters, clusterId } = first;
    if (question.seeksVote && voters.some((key) => sameVoter(key, self)))
      return { kind: 'join', voters, clusterId, isNew: false };
    return { kind: 'follow', voters, clusterId, isReplaced: voters.some(({ id }) => id === self.id) };
  }
  if (!question.seeksVote || !configured.includes(self.id)) return { kind: 'wait' };
  if (!configured.every((id) => id === self.id || answers.has(id))) return { kind: 'wait' };
  return giveBirth(question);
}

function giveBirth({ self, clusterId, configured, answers }: BootstrapQuestion): BootstrapDecision {
  const proposals = new Map<NodeId, Pick<IdentifyReply, 'voter' | 'clusterId'>>(answers);
  proposals.set(self.id, { voter: self, clusterId });
  const ids = configured.toSorted((a, b) => a - b);
  const members = ids.flatMap((id) => proposals.get(id) ?? []);
  const voters = members.map(({ voter }) => voter);
  if (new Set(voters.map(({ directoryId }) => directoryId)).size < voters.length)
    return { kind: 'conflict', detail: 'two nodes have the same directory id: one directory is a copy' };
  const proposal = members[0]?.clusterId ?? clusterId;
  return { kind: 'join', voters, clusterId: proposal, isNew: true };
}

function sameQuorum(a: IdentifyReply, b: IdentifyReply): boolean {
  if (a.clusterId !== b.clusterId || a.voters.length !== b.voters.length) return false;
  return a.voters.every((key) => b.voters.some((other) => sameVoter(key, other)));
}

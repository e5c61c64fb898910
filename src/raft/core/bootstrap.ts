/**
 * The birth of a quorum, and the return of a node whose directory is new: decided from what the configured voters say of
 * themselves in one round of asking.
 *
 * - Somebody belongs to an established quorum: its voter set holds, whatever lists say. This node takes part if its own
 *   key is in it. If only its id is, it lost its disk, and with it the votes it gave and the entries it acknowledged; it
 *   must not be taken for the voter it was, and only ever follows.
 * - Nobody does, *every* configured voter has answered, and all of them would found the quorum with exactly the same
 *   nodes and disks: it is born. One silent voter may be the one that knows of an established quorum, so nothing is
 *   decided without it.
 *
 * Guarantee: different voter sets born of directories share no member. For a member of both would have named, while its
 * own directory was new, the one set to one founder and the other set to another founder; but what a node names changes
 * only with its configuration or with the disks behind it. So two quorums are born only as islands: each member of each
 * names exactly its own set. Not covered: lists that all agreed and are changed, while their quorum is being born, to
 * leave out those who have founded it already.
 *
 * Ids alone would not do: two nodes may call themselves 3, and 1 reach the one and 2 the other. Addresses would do too
 * much: a node may go by different names in different networks. A broker's list only has to lead to the quorum.
 *
 * Source: KIP-853 (directory ids; a replaced disk is another voter).
 */
import { assert, type NodeId, type Uuid } from '../../base/index.ts';
import { type Disagreement, findDisagreement, idsOf, listed } from './founders.ts';
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
  /** Founders that nodes named which asked this one lately; they need not be in its configuration. */
  readonly askers: ReadonlyMap<NodeId, readonly VoterKey[]>;
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
  /** What the nodes say cannot be true of one quorum: a person must look. Persist nothing, ask again. */
  | ({ readonly kind: 'conflict' } & Disagreement);

export function decideBootstrap(question: BootstrapQuestion): BootstrapDecision {
  const { self, answers, configured, seeksVote } = question;
  assert(!answers.has(self.id), 'a node does not ask itself', { id: self.id });
  const established = [...answers.values()].filter(({ voters }) => voters.length > 0);
  if (established.length > 0) return decideEntry(question, established);
  if (!seeksVote || !configured.includes(self.id)) return { kind: 'wait' };
  const disagreement = findDisagreement(question);
  if (disagreement !== undefined) return { kind: 'conflict', ...disagreement };
  if (!configured.every((id) => id === self.id || answers.has(id))) return { kind: 'wait' };
  return giveBirth(question);
}

/** Into a quorum that exists. */
function decideEntry(question: BootstrapQuestion, established: readonly IdentifyReply[]): BootstrapDecision {
  const { self, configured, seeksVote } = question;
  const first = established[0];
  assert(first !== undefined, 'somebody is established');
  const other = established.find((answer) => !sameQuorum(answer, first));
  if (other !== undefined) {
    const detail = `nodes ${first.voter.id} and ${other.voter.id} belong to different quorums`;
    return { kind: 'conflict', nodeId: other.voter.id, detail };
  }
  const { voters, clusterId, voter } = first;
  if (seeksVote && voters.some((key) => sameVoter(key, self)))
    return { kind: 'join', voters, clusterId, isNew: false };
  const isReplaced = voters.some(({ id }) => id === self.id);
  if (seeksVote && !isReplaced && configured.includes(self.id)) {
    const detail =
      `node ${voter.id} belongs to a quorum of nodes ${listed(idsOf(voters))}, founded without node ${self.id}, whose ` +
      `controller.quorum.voters is ${listed(configured)}: correct the list that is wrong; if it was the founders', ` +
      'start them with new directories';
    return { kind: 'conflict', nodeId: voter.id, detail };
  }
  return { kind: 'follow', voters, clusterId, isReplaced };
}

/** All have answered and no two disagree, but some may not have heard of all yet. */
function giveBirth({ self, clusterId, configured, answers }: BootstrapQuestion): BootstrapDecision {
  const proposals = new Map<NodeId, Pick<IdentifyReply, 'voter' | 'clusterId'>>(answers);
  proposals.set(self.id, { voter: self, clusterId });
  const members = idsOf(configured.map((id) => ({ id }))).flatMap((id) => proposals.get(id) ?? []);
  const voters = members.map(({ voter }) => voter);
  if (![...answers.values()].every(({ founders }) => sameVoters(founders, voters))) return { kind: 'wait' };
  const proposal = members[0]?.clusterId ?? clusterId;
  return { kind: 'join', voters, clusterId: proposal, isNew: true };
}

function sameQuorum(a: IdentifyReply, b: IdentifyReply): boolean {
  return a.clusterId === b.clusterId && sameVoters(a.voters, b.voters);
}

function sameVoters(some: readonly VoterKey[], others: readonly VoterKey[]): boolean {
  return some.length === others.length && some.every((key) => others.some((other) => sameVoter(key, other)));
}

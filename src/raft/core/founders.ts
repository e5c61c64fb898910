/**
 * Those with whom a node would found a quorum, as it names them to others, and how the nodes' namings contradict each
 * other. A directory id of '' is no contradiction: that node has not answered yet.
 */
import type { NodeId, Uuid } from '../../base/index.ts';
import type { IdentifyReply, VoterKey } from './messages.ts';

export interface Disagreement {
  /** With whom this node disagrees, or one of the two that do. */
  readonly nodeId: NodeId;
  /** For a person: who says what, and which setting to correct. */
  readonly detail: string;
}

/** What one node knows in one round. */
export interface Namings {
  readonly self: VoterKey;
  readonly configured: readonly NodeId[];
  readonly answers: ReadonlyMap<NodeId, IdentifyReply>;
  readonly askers: ReadonlyMap<NodeId, readonly VoterKey[]>;
}

/** What a node says that is configured with `configured` and has reached `disks`. Ascending by id, each once. */
export function nameFounders(
  self: VoterKey,
  configured: readonly NodeId[],
  disks: ReadonlyMap<NodeId, Uuid>,
): readonly VoterKey[] {
  const diskOf = (id: NodeId): Uuid => (id === self.id ? self.directoryId : (disks.get(id) ?? ''));
  return idsOf(configured.map((id) => ({ id }))).map((id) => ({ id, directoryId: diskOf(id) }));
}

/** Ascending, each once. */
export function idsOf(keys: readonly Pick<VoterKey, 'id'>[]): readonly NodeId[] {
  return [...new Set(keys.map(({ id }) => id))].sort((a, b) => a - b);
}

export function listed(ids: readonly NodeId[]): string {
  return `[${ids.join(', ')}]`;
}

/** True when both name the same nodes, whatever the disks. */
export function sameIds(some: readonly VoterKey[], others: readonly VoterKey[]): boolean {
  return listed(idsOf(some)) === listed(idsOf(others));
}

/** The contradiction with the lowest node, those that answered first; undefined when there is none. */
export function findDisagreement(namings: Namings): Disagreement | undefined {
  const { self, configured, answers, askers } = namings;
  const disks = new Map([...answers].map(([id, { voter }]) => [id, voter.directoryId]));
  const own = nameFounders(self, configured, disks);
  const copy = findCopy(own);
  if (copy !== undefined) return copy;
  for (const id of [...answers.keys()].toSorted((a, b) => a - b)) {
    const founders = answers.get(id)?.founders ?? [];
    const found = compareLists(self.id, own, id, founders) ?? compareDisks(self.id, own, id, founders);
    if (found !== undefined) return found;
  }
  for (const id of [...askers.keys()].toSorted((a, b) => a - b)) {
    const found = compareLists(self.id, own, id, askers.get(id) ?? []);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findCopy(own: readonly VoterKey[]): Disagreement | undefined {
  const known = own.filter(({ directoryId }) => directoryId !== '');
  for (const { id, directoryId } of known) {
    const other = known.find((key) => key.id > id && key.directoryId === directoryId);
    if (other === undefined) continue;
    const detail = `nodes ${id} and ${other.id} have the same directory id: one directory is a copy`;
    return { nodeId: other.id, detail };
  }
  return undefined;
}

function compareLists(
  selfId: NodeId,
  own: readonly VoterKey[],
  nodeId: NodeId,
  theirs: readonly VoterKey[],
): Disagreement | undefined {
  if (sameIds(own, theirs)) return undefined;
  const mine = `controller.quorum.voters is ${listed(idsOf(own))} at node ${selfId}`;
  const detail =
    theirs.length === 0
      ? `${mine}, but node ${nodeId} is no controller that could found a quorum: take it off the list`
      : `${mine} but ${listed(idsOf(theirs))} at node ${nodeId}: give both the same list and start them again`;
  return { nodeId, detail };
}

function compareDisks(
  selfId: NodeId,
  own: readonly VoterKey[],
  nodeId: NodeId,
  theirs: readonly VoterKey[],
): Disagreement | undefined {
  for (const { id, directoryId } of own) {
    const other = theirs.find((key) => key.id === id)?.directoryId ?? '';
    if (directoryId === '' || other === '' || directoryId === other) continue;
    const detail =
      `node ${id} has directory id ${directoryId} for node ${selfId} but ${other} for node ${nodeId}: unless its ` +
      `directory was just replaced, two nodes have the id ${id}; see its address in controller.quorum.voters of both`;
    return { nodeId, detail };
  }
  return undefined;
}

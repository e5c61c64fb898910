import { assert, type NodeId, type Offset } from '../../base/index.ts';
import type { VoterKey } from './messages.ts';

/** True when both name the same node with the same disk. */
export function sameVoter(a: VoterKey, b: VoterKey): boolean {
  return a.id === b.id && a.directoryId === b.directoryId;
}

/** Key of maps: `<id>/<directoryId>`. */
export function voterName(key: VoterKey): string {
  return `${key.id}/${key.directoryId}`;
}

/**
 * Who counts. A voter is a node *with its disk*: a wiped one is somebody else and has no part in the old one's promises.
 *
 * Invariant: ids are unique; any two majorities share a voter. Source: KIP-853; Raft §5.2.
 */
export class VoterSet {
  /** Ascending by id. */
  readonly keys: readonly VoterKey[];
  readonly #byId: ReadonlyMap<NodeId, VoterKey>;

  constructor(keys: readonly VoterKey[]) {
    this.keys = keys.toSorted((a, b) => a.id - b.id);
    this.#byId = new Map(keys.map((key) => [key.id, key]));
    assert(this.#byId.size === keys.length, 'voter ids are unique', { keys });
  }

  /** How many make a majority: floor(n/2) + 1. */
  get majority(): number {
    return Math.floor(this.keys.length / 2) + 1;
  }

  has(key: VoterKey): boolean {
    return this.#byId.get(key.id)?.directoryId === key.directoryId;
  }

  findById(id: NodeId): VoterKey | undefined {
    return this.#byId.get(id);
  }

  /** Every voter but `self`, ascending by id. */
  others(self: VoterKey): readonly VoterKey[] {
    return this.keys.filter((key) => !sameVoter(key, self));
  }
}

/**
 * The offset below which everything is held by a majority: sort what each voter is known to hold, largest first, and take
 * the one at floor(n/2). Unknown (-1) sorts last, so an unknown majority gives -1. Source: Raft §5.3, KIP-595.
 */
export function majorityOffset(offsets: readonly Offset[]): Offset {
  assert(offsets.length > 0, 'a majority needs a voter');
  const descending = offsets.toSorted((a, b) => b - a);
  return descending[Math.floor(offsets.length / 2)] ?? -1;
}

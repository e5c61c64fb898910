import { assert, type MonotonicMs, type NodeId } from '../../base/index.ts';
import type { VoterKey } from './messages.ts';
import { sameVoter, type VoterSet } from './voter-set.ts';

type Ballot =
  | { readonly kind: 'unasked'; readonly notBeforeMs: MonotonicMs }
  | { readonly kind: 'asked'; readonly requestId: number }
  | { readonly kind: 'granted' }
  | { readonly kind: 'rejected' };

/**
 * The count of one election or pre-election: who was asked, who granted, who refused.
 *
 * Only voters of the own set are asked and counted, each once. Hopeless as soon as somebody refused and granted plus
 * undecided cannot make a majority any more, those left out that fail to answer. Source: Raft §5.2, KIP-595.
 */
export class Election {
  readonly #ballots = new Map<NodeId, Ballot>();
  /** Undecided voters of which a call failed. */
  readonly #failing = new Set<NodeId>();
  readonly #voters: VoterSet;

  constructor(voters: VoterSet, self: VoterKey) {
    assert(voters.has(self), 'only a voter seeks election', { self });
    this.#voters = voters;
    for (const key of voters.keys) {
      const own = sameVoter(key, self);
      this.#ballots.set(key.id, own ? { kind: 'granted' } : { kind: 'unasked', notBeforeMs: 0 });
    }
  }

  get isWon(): boolean {
    return this.#count('granted') >= this.#voters.majority;
  }

  /**
   * Two that seek the place of a dead leader refuse one another, and the third never decides: they should try again soon,
   * not wait for it. But that nobody answers, and nobody refuses, is no reason to hurry.
   */
  get isHopeless(): boolean {
    const rejected = this.#count('rejected');
    return rejected > 0 && this.#ballots.size - rejected - this.#failing.size < this.#voters.majority;
  }

  /** Ids of those who granted, ascending. */
  get granting(): readonly NodeId[] {
    return [...this.#ballots].filter(([, { kind }]) => kind === 'granted').map(([id]) => id);
  }

  /** Voters to ask now: never asked, or whose call failed long enough ago. */
  dueVoters(nowMs: MonotonicMs): readonly VoterKey[] {
    return this.#voters.keys.filter(({ id }) => {
      const ballot = this.#ballots.get(id);
      return ballot?.kind === 'unasked' && ballot.notBeforeMs <= nowMs;
    });
  }

  /** When the next voter is due; Infinity when all were asked. */
  get nextDueMs(): MonotonicMs {
    let next = Number.POSITIVE_INFINITY;
    for (const ballot of this.#ballots.values())
      if (ballot.kind === 'unasked') next = Math.min(next, ballot.notBeforeMs);
    return next;
  }

  asked(id: NodeId, requestId: number): void {
    this.#ballots.set(id, { kind: 'asked', requestId });
  }

  /** False when `requestId` is not the outstanding question: the answer is late and counts for nothing. */
  answered(requestId: number, granted: boolean): boolean {
    const id = this.#findAsked(requestId);
    if (id === undefined) return false;
    this.#ballots.set(id, { kind: granted ? 'granted' : 'rejected' });
    this.#failing.delete(id);
    return true;
  }

  /** No answer will come, or one that decides nothing: ask again from `retryAtMs` on. */
  failed(requestId: number, retryAtMs: MonotonicMs): void {
    const id = this.#findAsked(requestId);
    if (id === undefined) return;
    this.#ballots.set(id, { kind: 'unasked', notBeforeMs: retryAtMs });
    this.#failing.add(id);
  }

  #findAsked(requestId: number): NodeId | undefined {
    for (const [id, ballot] of this.#ballots)
      if (ballot.kind === 'asked' && ballot.requestId === requestId) return id;
    return undefined;
  }

  #count(kind: Ballot['kind']): number {
    let count = 0;
    for (const ballot of this.#ballots.values()) if (ballot.kind === kind) count++;
    return count;
  }
}

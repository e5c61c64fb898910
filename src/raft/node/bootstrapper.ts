/**
 * Asks the configured voters who they are, round after round, until core/bootstrap can decide. Until then this node votes
 * for nobody, campaigns for nothing and serves nothing. It tells all who ask with whom it would found a quorum, and heeds
 * what they tell: one that it would found without, but that wants to be in, is a mistake in a configuration too.
 */
import type { MonotonicMs, NodeId, Uuid } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import {
  type BootstrapDecision,
  type Disagreement,
  decideBootstrap,
  type IdentifyReply,
  type IdentifyRequest,
  nameFounders,
  type QuorumTimeouts,
  sameIds,
  type VoterKey,
} from '../core/index.ts';
import type { DriverPorts } from './ports.ts';

/** Nodes remembered that would found another quorum with this one. Above it the one heard of first is forgotten. */
const ASKERS_MAX = 32;

export interface BootstrapperOptions {
  readonly self: VoterKey;
  readonly clusterId: Uuid;
  readonly seeksVote: boolean;
  readonly configured: readonly NodeId[];
  readonly timeouts: QuorumTimeouts;
}

type Decided = Extract<BootstrapDecision, { kind: 'join' | 'follow' }>;

interface Asker {
  readonly founders: readonly VoterKey[];
  readonly heardMs: MonotonicMs;
}

export class Bootstrapper {
  readonly #options: BootstrapperOptions;
  readonly #ports: DriverPorts;
  readonly #onDecided: (decision: Decided) => void;
  #answers = new Map<NodeId, IdentifyReply>();
  /** Directory ids, of this round or an earlier one. */
  readonly #disks = new Map<NodeId, Uuid>();
  /** Whose founders are others than this node's. */
  readonly #askers = new Map<NodeId, Asker>();
  /** What was last logged of a disagreement with a node. */
  readonly #reported = new Map<NodeId, string>();
  /** What configured nodes said since this round began, other than by answering. */
  readonly #heard = new Map<NodeId, readonly VoterKey[]>();
  #round = 0;
  #pending = 0;
  /** A disk was found in this round: the others do not know yet that this node knows. */
  #hasNews = false;
  #isDone = false;
  #timer: Timer | undefined;

  constructor(options: BootstrapperOptions, ports: DriverPorts, onDecided: (decision: Decided) => void) {
    this.#options = options;
    this.#ports = ports;
    this.#onDecided = onDecided;
  }

  start(): void {
    this.#timer?.cancel();
    if (this.#isDone) return;
    const { self, configured, timeouts } = this.#options;
    const others = configured.filter((id) => id !== self.id);
    const round = ++this.#round;
    this.#answers = new Map();
    this.#pending = others.length;
    this.#hasNews = false;
    this.#heard.clear();
    const request = { voter: self, founders: this.#founders() };
    for (const id of others)
      this.#ports.calls.identify(id, request, timeouts.requestTimeoutMs, (result) => {
        if (round !== this.#round || this.#isDone) return;
        if (result.kind === 'answer') this.#accept(id, result.answer);
        this.#pending--;
        this.#decide();
      });
    if (others.length === 0) this.#decide();
  }

  /** Another node asks. Returns this one's founders, and does not wait for the next round when there is news to get. */
  handleIdentify({ voter, founders }: IdentifyRequest): readonly VoterKey[] {
    const own = this.#founders();
    this.#askers.delete(voter.id);
    if (founders.length > 0 && own.length > 0 && !sameIds(founders, own)) {
      const oldest = this.#askers.size < ASKERS_MAX ? undefined : [...this.#askers.keys()][0];
      if (oldest !== undefined) this.#askers.delete(oldest);
      this.#askers.set(voter.id, { founders, heardMs: this.#ports.nowMs() });
    }
    if (this.#options.configured.includes(voter.id)) this.#heard.set(voter.id, founders);
    if (this.#pending === 0 && this.#hasHeardNews()) this.start();
    return own;
  }

  close(): void {
    this.#isDone = true;
    this.#timer?.cancel();
  }

  #founders(): readonly VoterKey[] {
    const { self, seeksVote, configured } = this.#options;
    if (!seeksVote || !configured.includes(self.id)) return [];
    // Held back by an asker, it holds the others back, which may not have heard of that one.
    return nameFounders(self, configured, this.#recentAskers().size > 0 ? new Map() : this.#disks);
  }

  #accept(id: NodeId, reply: IdentifyReply): void {
    if (reply.voter.id !== id) {
      this.#ports.logger.error(
        { expected: id, found: reply.voter.id },
        'another node answers at this address',
      );
      return;
    }
    const { directoryId } = reply.voter;
    // Only the first: an address that leads to two nodes in turn must not make this node ask without a pause.
    if (!this.#disks.has(id)) this.#hasNews = true;
    this.#disks.set(id, directoryId);
    this.#answers.set(id, reply);
  }

  #decide(): void {
    const decision = decideBootstrap({
      ...this.#options,
      answers: this.#answers,
      askers: this.#recentAskers(),
    });
    if (decision.kind === 'join' || decision.kind === 'follow') {
      this.close();
      this.#warnOfList(decision);
      this.#onDecided(decision);
      return;
    }
    if (this.#pending > 0) return;
    if (decision.kind === 'conflict') this.#report(decision);
    else this.#reported.clear();
    this.#askAgain();
  }

  /** Somebody that is there did not answer in this round, or would answer otherwise now. */
  #hasHeardNews(): boolean {
    return [...this.#heard].some(([id, founders]) => {
      const answer = this.#answers.get(id);
      return answer === undefined || !sameKeys(answer.founders, founders);
    });
  }

  #warnOfList({ voters }: Decided): void {
    const own = this.#founders();
    if (own.length === 0 || sameIds(own, voters)) return;
    const { configured } = this.#options;
    this.#ports.logger.warn(
      { configured, voters },
      'controller.quorum.voters is not the voter set, which counts',
    );
  }

  /** Without those that no longer ask: they were stopped, or their configuration was corrected. */
  #recentAskers(): ReadonlyMap<NodeId, readonly VoterKey[]> {
    const { requestTimeoutMs, retryBackoffMs } = this.#options.timeouts;
    // A node that asks on does so once in this time.
    const sinceMs = this.#ports.nowMs() - 2 * (requestTimeoutMs + 2 * retryBackoffMs);
    const recent = [...this.#askers].filter(([, { heardMs }]) => heardMs >= sinceMs);
    return new Map(recent.map(([id, { founders }]) => [id, founders]));
  }

  /** Once, until it changes: the disagreement may last for days. */
  #report({ nodeId, detail }: Disagreement): void {
    if (this.#reported.get(nodeId) === detail) return;
    if (this.#reported.size >= ASKERS_MAX) this.#reported.clear();
    this.#reported.set(nodeId, detail);
    this.#ports.logger.error({ detail }, 'nodes disagree about the quorum; waiting');
  }

  #askAgain(): void {
    const missing = this.#options.configured.filter(
      (id) => id !== this.#options.self.id && !this.#answers.has(id),
    );
    this.#ports.logger.debug({ missing, round: this.#round }, 'waiting for voters to answer');
    if (this.#hasNews || this.#hasHeardNews()) {
      this.start();
      return;
    }
    const delayMs = this.#options.timeouts.retryBackoffMs * (1 + this.#ports.random.float());
    this.#timer = this.#ports.timers.after(delayMs, () => this.start());
  }
}

function sameKeys(some: readonly VoterKey[], others: readonly VoterKey[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others);
}

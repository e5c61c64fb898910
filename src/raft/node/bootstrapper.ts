/**
 * Asks the configured voters who they are, round after round, until core/bootstrap can decide. Until then this node votes
 * for nobody, campaigns for nothing and serves nothing.
 */
import type { NodeId, Uuid } from '../../base/index.ts';
import type { Timer } from '../../env/index.ts';
import {
  type BootstrapDecision,
  decideBootstrap,
  type IdentifyReply,
  type QuorumTimeouts,
  type VoterKey,
} from '../core/index.ts';
import type { DriverPorts } from './ports.ts';

export interface BootstrapperOptions {
  readonly self: VoterKey;
  readonly clusterId: Uuid;
  readonly seeksVote: boolean;
  readonly configured: readonly NodeId[];
  readonly timeouts: QuorumTimeouts;
}

type Decided = Extract<BootstrapDecision, { kind: 'join' | 'follow' }>;

export class Bootstrapper {
  readonly #options: BootstrapperOptions;
  readonly #ports: DriverPorts;
  readonly #onDecided: (decision: Decided) => void;
  #answers = new Map<NodeId, IdentifyReply>();
  #round = 0;
  #pending = 0;
  #isDone = false;
  #conflict: string | undefined;
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
    for (const id of others)
      this.#ports.calls.identify(id, { voter: self }, timeouts.requestTimeoutMs, (result) => {
        if (round !== this.#round || this.#isDone) return;
        if (result.kind === 'answer') this.#accept(id, result.answer);
        this.#pending--;
        this.#decide();
      });
    if (others.length === 0) this.#decide();
  }

  /** Node `id` is there: when the last round missed it, do not wait for the next. */
  nudge(id: NodeId): void {
    if (this.#pending === 0 && !this.#answers.has(id)) this.start();
  }

  close(): void {
    this.#isDone = true;
    this.#timer?.cancel();
  }

  #accept(id: NodeId, reply: IdentifyReply): void {
    if (reply.voter.id === id) this.#answers.set(id, reply);
    else
      this.#ports.logger.error(
        { expected: id, found: reply.voter.id },
        'another node answers at this address',
      );
  }

  #decide(): void {
    const { logger } = this.#ports;
    const decision = decideBootstrap({ ...this.#options, answers: this.#answers });
    switch (decision.kind) {
      case 'join':
      case 'follow':
        this.close();
        this.#onDecided(decision);
        return;
      case 'conflict':
        if (this.#conflict !== decision.detail)
          logger.error({ detail: decision.detail }, 'voters disagree about the quorum; waiting');
        this.#conflict = decision.detail;
        break;
      case 'wait':
        break;
    }
    if (this.#pending > 0) return;
    const missing = this.#options.configured.filter(
      (id) => id !== this.#options.self.id && !this.#answers.has(id),
    );
    logger.debug({ missing, round: this.#round }, 'waiting for voters to answer');
    const delayMs = this.#options.timeouts.retryBackoffMs * (1 + this.#ports.random.float());
    this.#timer = this.#ports.timers.after(delayMs, () => this.start());
  }
}

/**
 * The in-sync set of a partition that this broker leads: who may join, who has to leave, and what came of asking. One change is
 * asked for at a time; see core/isr-change.ts for the laws.
 */
import type { NodeId } from '../../base/index.ts';
import type { PartitionLog } from '../../log/index.ts';
import type { AlteredPartition } from '../../rpc/api/index.ts';
import type { IsrState } from './core/isr.ts';
import { type AlterOutcome, decideExpand, decideShrink, replayAlterReply } from './core/isr-change.ts';
import type { PartitionState } from './core/partition-state.ts';
import type { PartitionHost } from './partition-host.ts';

export interface IsrKeeperOptions {
  readonly log: PartitionLog;
  readonly state: PartitionState;
  readonly host: Pick<PartitionHost, 'brokers' | 'monotonicMs'>;
  /** A change is pending in the state: ask for it. */
  readonly request: () => void;
}

/** After the controller found a replica ineligible, its metadata and ours need a moment to agree. */
const EXPAND_PAUSE_MS = 200;

export class IsrKeeper {
  readonly #options: IsrKeeperOptions;
  #expandNotBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: IsrKeeperOptions) {
    this.#options = options;
  }

  /** A new leader epoch: what the controller found before is over. */
  begin(): void {
    this.#expandNotBeforeMs = Number.NEGATIVE_INFINITY;
  }

  /** Asks for `id`, if it may join. */
  maybeExpand(id: NodeId): void {
    const { log, state, host } = this.#options;
    if (log.failure !== undefined) return;
    const next = decideExpand(state, id, log, host.brokers);
    if (next === undefined || host.monotonicMs() < this.#expandNotBeforeMs) return;
    this.#ask(next);
  }

  /** Asks for the first replica that may join, if any. */
  maybeExpandByAny(): void {
    for (const id of this.#options.state.followers.keys()) this.maybeExpand(id);
  }

  /** Of the timer: who has lagged for too long leaves; who may join and was not looked at since, joins. */
  check(): void {
    const { log, state, host } = this.#options;
    // A failed leader answers nobody: that its followers lag is its own doing.
    if (log.failure !== undefined) return;
    const next = decideShrink(state, log.logEndOffset, host.monotonicMs());
    if (next === undefined) this.maybeExpandByAny();
    else this.#ask(next);
  }

  handleReply(sent: IsrState, reply: AlteredPartition): AlterOutcome {
    const { state, host } = this.#options;
    const outcome = replayAlterReply(state, sent, reply);
    if (outcome === 'reverted') this.#expandNotBeforeMs = host.monotonicMs() + EXPAND_PAUSE_MS;
    return outcome;
  }

  #ask(next: IsrState): void {
    this.#options.state.beginIsrChange(next);
    this.#options.request();
  }
}

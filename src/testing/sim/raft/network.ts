/**
 * The network between simulated nodes: calls that may be delayed, lost, doubled, overtaken or cut off, in each direction
 * by itself. The caller always hears something in the end: the answer, a broken connection, or its deadline.
 */
import type { NodeId, Random } from '../../../base/index.ts';
import type { CallResult } from '../../../raft/node/index.ts';
import type { Scheduler } from '../../twins/index.ts';
import type { Trace } from '../trace.ts';
import type { SimOptions } from './options.ts';

/** Who can be called. */
export interface Host {
  /** False: the machine answers "connection refused". */
  readonly isUp: boolean;
  /** Runs `task` when the process can: later when it is paused, never when it dies before. */
  run(task: () => void): void;
}

/** Makes the call at the target; `answer` is given once, undefined when the target closed. */
export type Handler<Answer> = (target: NodeId, answer: (result: Answer | undefined) => void) => void;

interface Pending {
  readonly to: NodeId;
  readonly fail: (disconnected: boolean) => void;
}

export class SimNetwork {
  readonly #hosts = new Map<NodeId, Host>();
  /** `from>to` pairs that carry nothing. */
  readonly #cut = new Set<string>();
  readonly #pending = new Set<Pending>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #options: SimOptions;
  isFaulty = true;

  constructor(scheduler: Scheduler, random: Random, options: SimOptions, trace: Trace) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#options = options;
    this.#trace = trace;
  }

  attach(id: NodeId, host: Host): void {
    this.#hosts.set(id, host);
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}>${to}`);
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** The process at `to` died and its machine says so: whoever waits for it hears of it. */
  reset(to: NodeId): void {
    for (const pending of [...this.#pending])
      if (pending.to === to) this.#scheduler.after(this.#delayMs(), () => pending.fail(true));
  }

  call<Answer>(
    from: NodeId,
    to: NodeId,
    timeoutMs: number,
    handler: Handler<Answer>,
    done: (result: CallResult<Answer>) => void,
  ): void {
    const caller = this.#hosts.get(from);
    const finish = (result: CallResult<Answer>): void => {
      if (!this.#pending.delete(pending)) return;
      deadline.cancel();
      caller?.run(() => done(result));
    };
    const fail = (disconnected: boolean): void => finish({ kind: 'failed', disconnected });
    const pending: Pending = { to, fail };
    this.#pending.add(pending);
    const deadline = this.#scheduler.after(timeoutMs, () => fail(false));
    const answered = (answer: Answer | undefined): void => {
      this.#carry(to, from, () => {
        if (answer === undefined) fail(true);
        else finish({ kind: 'answer', answer });
      });
    };
    this.#carry(from, to, () => {
      const host = this.#hosts.get(to);
      if (host?.isUp) host.run(() => handler(to, answered));
      else this.#carry(to, from, () => fail(true));
    });
  }

  #carry(from: NodeId, to: NodeId, deliver: () => void): void {
    const { loss, duplication } = this.#options;
    if (this.isCut(from, to)) return;
    if (this.isFaulty && this.#random.float() < loss) {
      this.#trace.count('messages lost');
      return;
    }
    this.#scheduler.after(this.#delayMs(), deliver);
    if (!this.isFaulty || this.#random.float() >= duplication) return;
    this.#trace.count('messages doubled');
    this.#scheduler.after(this.#delayMs() * 3, deliver);
  }

  #delayMs(): number {
    const { delayMinMs, delayMeanMs } = this.#options;
    return delayMinMs - Math.log(1 - this.#random.float()) * delayMeanMs;
  }
}

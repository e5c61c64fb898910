/** The gates of a run as seen from the supervisor: they live in processes of their own, so that nothing here delays bytes. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../../src/rpc/api/index.ts';
import type { Rule, Source, Strike } from './gate.ts';

const MAIN = fileURLToPath(new URL('gate-main.ts', import.meta.url));

export interface GatePlan {
  /** Of the node behind it. */
  readonly node: number;
  readonly listener: string;
  readonly listen: Address;
  readonly upstream: Address;
}

export interface GateProcessPlan {
  readonly gates: readonly GatePlan[];
  /** Addresses that connections come from; others are clients. */
  readonly sources: Readonly<Record<string, Source>>;
  readonly seed: number;
}

/** `listener` and `source` absent: all. */
export type GateOrder =
  | {
      readonly kind: 'rule';
      readonly node: number;
      readonly listener?: string;
      readonly source?: Source;
      readonly rule: Rule;
    }
  | {
      readonly kind: 'strike';
      readonly node: number;
      readonly listener?: string;
      readonly source?: Source;
      readonly strike: Strike;
    }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'disarm' }
  | { readonly kind: 'count-flips' };

export interface GateReply {
  readonly id: number;
  readonly count: number;
}

export class GateProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (count: number) => void>();
  #next = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (reply: GateReply) => {
      this.#waiting.get(reply.id)?.(reply.count);
      this.#waiting.delete(reply.id);
    });
  }

  /** `prefix`: a command to run it with, such as one that enters a namespace. */
  static async start(plan: GateProcessPlan, prefix: readonly string[] = []): Promise<GateProcess> {
    const [command = '', ...words] = [...prefix, process.execPath, MAIN, JSON.stringify(plan)];
    const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ready = Promise.withResolvers<void>();
    child.once('message', () => ready.resolve());
    child.once('exit', (code) => ready.reject(new Error(`a gate ended with status ${code}`)));
    await ready.promise;
    return new GateProcess(child);
  }

  /** Resolves when it is done; with how many connections were struck, or bits flipped. */
  order(order: GateOrder): Promise<number> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, order });
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

/**
 * What a server's implementation knows of a call; the abort controller is made only when somebody asks for
 * it.
 */
import type { CallContext } from '../api/index.ts';

export class ServerCall implements CallContext {
  readonly peer: string;
  #controller: AbortController | undefined;
  #over: Error | undefined;

  constructor(peer: string) {
    this.peer = peer;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#over !== undefined) this.#controller.abort(this.#over);
    }
    return this.#controller.signal;
  }

  /** True for what an implementation throws that gave up because its caller had. */
  isEndedBy(error: unknown): boolean {
    return error !== undefined && error === this.#over;
  }

  /** The caller waits no more: it left, its deadline has passed, or it has been answered. */
  end(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#controller?.abort(reason);
  }
}

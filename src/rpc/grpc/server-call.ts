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

  /** The caller waits no more: it left, its deadline has passed, or it has been answered. */
  end(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#controller?.abort(reason);
  }
}

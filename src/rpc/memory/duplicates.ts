/**
 * Unary requests that arrive twice at one listener.
 *
 * gRPC executes a request at least once when something on the way tries again: a transparent retry, a retry
 * policy, a proxy. The implementation sees two calls; the caller sees one, and takes the reply that comes
 * first. The second call shares nothing with the first but its bytes: it outlives the caller and the
 * connection, and runs under the same timeout, counted from when it arrives, as grpc-timeout is. It never
 * reaches another life of its server.
 *
 * Source: gRFC A6, "gRPC Retry Design".
 */
import { EnvironmentError } from '../../base/index.ts';
import type { Timer, Timers } from '../../env/index.ts';
import { CALL_TIMEOUT_MS_DEFAULT, DUPLICATES_PENDING_MAX } from './limits.ts';
import { disconnected, MemoryCall, type ServerEnd } from './session.ts';

/** What duplicates need of their network. */
export interface DuplicatesHost {
  readonly timers: Timers;
  /** Milliseconds from the arrival of a request to the arrival of its duplicate; undefined: it has none. */
  drawLateMs(): number | undefined;
  isCut(from: string, to: string): boolean;
  whenHealed(task: () => void): void;
}

export class Duplicates {
  readonly #host: DuplicatesHost;
  readonly #serve: (call: MemoryCall) => ServerEnd;
  readonly #pending = new Set<Timer>();
  /** Deadlines of those that run. */
  readonly #deadlines = new Map<MemoryCall, Timer>();
  #dropped = false;

  constructor(host: DuplicatesHost, serve: (call: MemoryCall) => ServerEnd) {
    this.#host = host;
    this.#serve = serve;
  }

  /** The same end, but that the request it is given may come again. */
  watch(call: MemoryCall, end: ServerEnd): ServerEnd {
    return {
      request: (bytes, taken) => {
        this.#maybeRepeat(call, bytes);
        end.request(bytes, taken);
      },
      halfClose: () => end.halfClose(),
      gone: (error) => end.gone(error),
    };
  }

  /** None that has not arrived yet will. */
  drop(): void {
    this.#dropped = true;
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
  }

  /** `call` is over. */
  forget(call: MemoryCall): void {
    this.#deadlines.get(call)?.cancel();
    this.#deadlines.delete(call);
  }

  #maybeRepeat(call: MemoryCall, bytes: Buffer): void {
    const lateMs = this.#host.drawLateMs();
    if (lateMs === undefined || this.#dropped || this.#pending.size >= DUPLICATES_PENDING_MAX) return;
    // What is decoded shares the bytes, and belongs to the implementation, which may write into them.
    const copy = Buffer.from(bytes);
    const timer = this.#host.timers.after(lateMs, () => {
      this.#pending.delete(timer);
      this.#repeat(call, copy);
    });
    this.#pending.add(timer);
  }

  #repeat(call: MemoryCall, bytes: Buffer): void {
    const { session } = call;
    if (this.#dropped) return;
    if (this.#host.isCut(session.client.name, session.server.name)) {
      this.#host.whenHealed(() => this.#repeat(call, bytes));
      return;
    }
    let received: Buffer | undefined;
    const duplicate = new MemoryCall(session, call.method, {
      reply: (reply) => {
        received = reply;
      },
      end: (error) => {
        if (!(error instanceof EnvironmentError)) call.answer(received, error);
      },
    });
    const deadline = this.#host.timers.after(call.timeoutMs ?? CALL_TIMEOUT_MS_DEFAULT, () => {
      if (!session.server.dead) duplicate.serverGone(disconnected(session.client.name));
    });
    this.#deadlines.set(duplicate, deadline);
    const end = this.#serve(duplicate);
    duplicate.arrived(end);
    end.request(bytes, undefined);
    end.halfClose();
  }
}

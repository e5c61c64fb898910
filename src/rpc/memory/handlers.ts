/** The server side of calls: bytes to messages, an implementation's method, its outcome back. */
import { ApiError, type EnvironmentError } from '../../base/index.ts';
import type { CallContext, Sink } from '../api/index.ts';
import { OutboundSink } from '../protobuf/index.ts';
import { Inbound } from './inbound.ts';
import { ELEMENTS_MAX, STREAM_LIMITS } from './limits.ts';
import { disconnected, type MemoryCall, type ServerEnd, type WireError } from './session.ts';

export type Unary = (request: unknown, call: CallContext) => Promise<unknown>;
export type Duplex = (replies: Sink<unknown>, call: CallContext) => Sink<unknown>;

function toWire(error: unknown): WireError {
  const refusal = error instanceof ApiError ? error : new ApiError('UNKNOWN_SERVER_ERROR');
  return { code: refusal.code, message: refusal.message };
}

/** Few implementations ask for the signal of a call: it is made for those that do. */
class MemoryCallContext implements CallContext {
  readonly peer: string;
  /** Why the caller is gone. */
  reason: Error | undefined;
  #controller: AbortController | undefined;

  constructor(peer: string) {
    this.peer = peer;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.reason !== undefined) this.#controller.abort(this.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.reason ??= reason;
    this.#controller?.abort(reason);
  }
}

export function refuse(call: MemoryCall, over: () => void): ServerEnd {
  call.finish({ code: 'UNSUPPORTED_VERSION', message: `${call.session.peer} does not offer this call` });
  over();
  return { request() {}, halfClose() {}, gone() {} };
}

export function serveUnary(
  call: MemoryCall,
  run: Unary,
  over: () => void,
  log: (error: unknown) => void,
): ServerEnd {
  const { method } = call;
  const context = new MemoryCallContext(call.session.client.name);
  const answer = async (bytes: Buffer): Promise<void> => {
    try {
      const reply = method.reply.encode(await run(method.request.decode(bytes, ELEMENTS_MAX), context));
      if (!call.served) return;
      call.sendReply(reply);
      call.finish(undefined);
    } catch (error) {
      // An implementation that gives up with its caller has nothing to report.
      if (error !== context.reason) log(error);
      if (!call.served) return;
      call.finish(toWire(error));
    }
    over();
  };
  return {
    request(bytes) {
      void answer(bytes);
    },
    halfClose() {},
    gone(error) {
      context.abort(error);
      over();
    },
  };
}

export function serveDuplex(
  call: MemoryCall,
  run: Duplex,
  over: () => void,
  log: (error: unknown) => void,
): ServerEnd {
  const { method } = call;
  const context = new MemoryCallContext(call.session.client.name);
  let requests: Sink<unknown> | undefined;
  let requestsEnded = false;
  const endRequests = (error: Error | undefined): void => {
    if (requestsEnded || requests === undefined) return;
    requestsEnded = true;
    requests.end(error);
  };
  const close = (error: EnvironmentError | Error | undefined): void => {
    replies.close(error);
    context.abort(error ?? disconnected(context.peer));
    endRequests(error);
    over();
  };
  const abort = (error: Error): void => {
    if (!call.served) return;
    log(error);
    call.finish(toWire(error));
    replies.close(error);
    queueMicrotask(() => close(error));
  };
  const replies = new OutboundSink<unknown>(
    (reply) => method.reply.encode(reply),
    {
      write: (bytes, taken) => call.sendReply(bytes, taken),
      finish: () => {
        call.finish(undefined);
        queueMicrotask(() => close(undefined));
      },
      abort,
    },
    STREAM_LIMITS,
  );
  try {
    requests = run(replies, context);
  } catch (error) {
    abort(error as Error);
  }
  const inbox = new Inbound(
    () => requests,
    (bytes) => method.request.decode(bytes, ELEMENTS_MAX),
    abort,
  );
  return {
    request: (bytes, taken) => inbox.push(bytes, taken),
    halfClose: () => inbox.finish(() => endRequests(undefined)),
    gone: (error) => close(error),
  };
}
